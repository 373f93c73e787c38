//! Policies as requests have them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use googleapis_tonic_google_storage_v2::google::iam::v1;
use googleapis_tonic_google_storage_v2::google::iam::v1::audit_log_config::LogType;
use googleapis_tonic_google_storage_v2::google::r#type::Expr;
use serde_json::{Value, json};

use super::super::refusal::{Answer, Refusal};
use super::{Binding, Policy, Wanted};

impl Wanted {
    /// `setIamPolicy` over JSON: `policy`, and `updateMask` which leaves the audit configuration out
    /// unless it says otherwise.
    pub(in super::super) fn request(body: &Value) -> Answer<Self> {
        let mut wanted = Self::json(&body["policy"])?;
        let mask = body["updateMask"].as_str().unwrap_or("bindings,etag");
        wanted.with_audit = mask.split(',').any(|field| matches!(field, "auditConfigs" | "audit_configs"));
        Ok(wanted)
    }

    /// A policy in JSON, all of which is meant.
    pub(in super::super) fn json(policy: &Value) -> Answer<Self> {
        let wrong = || Refusal::invalid("Invalid IAM policy");
        let mut bindings = vec![];
        for binding in policy["bindings"].as_array().into_iter().flatten() {
            let members = binding["members"].as_array().into_iter().flatten();
            let condition = &binding["condition"];
            bindings.push(Binding {
                role: binding["role"].as_str().ok_or_else(wrong)?.to_owned(),
                members: members.filter_map(Value::as_str).map(str::to_owned).collect(),
                condition: (!condition.is_null()).then(|| condition.clone()),
            });
        }
        let etag = match policy["etag"].as_str() {
            None | Some("") => None,
            Some(etag) => Some(BASE64_STANDARD.decode(etag).map_err(|_| wrong())?),
        };
        let audit = policy["auditConfigs"].as_array().into_iter().flatten();
        // Clients may write enumerations as numbers; they are kept as words.
        let audit = audit.map(|config| self::audit(&audit_proto(config))).collect();
        let version = policy["version"].as_i64().unwrap_or_default();
        Ok(Self { policy: Policy { bindings, audit, serial: 0 }, version, etag, with_audit: true })
    }

    /// `SetIamPolicy` over gRPC.
    pub(in super::super) fn proto(request: v1::SetIamPolicyRequest) -> Self {
        let policy = request.policy.unwrap_or_default();
        let bindings = policy.bindings.into_iter().map(|binding| Binding {
            role: binding.role,
            members: binding.members,
            condition: binding.condition.map(|condition| expression(&condition)),
        });
        let mask = request.update_mask.map(|mask| mask.paths).unwrap_or_default();
        Self {
            version: policy.version.into(),
            etag: (!policy.etag.is_empty()).then_some(policy.etag),
            with_audit: mask.iter().any(|field| field == "audit_configs"),
            policy: Policy {
                bindings: bindings.collect(),
                audit: policy.audit_configs.iter().map(audit).collect(),
                serial: 0,
            },
        }
    }
}

impl Policy {
    /// The gRPC form.
    pub(in super::super) fn proto(&self) -> v1::Policy {
        v1::Policy {
            version: if self.conditional() { 3 } else { 1 },
            bindings: self.bindings.iter().map(Binding::proto).collect(),
            audit_configs: self.audit.iter().map(audit_proto).collect(),
            etag: self.etag(),
        }
    }
}

impl Binding {
    fn proto(&self) -> v1::Binding {
        let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        v1::Binding {
            role: self.role.clone(),
            members: self.members.clone(),
            condition: self.condition.as_ref().map(|condition| Expr {
                expression: text(condition, "expression"),
                title: text(condition, "title"),
                description: text(condition, "description"),
                location: text(condition, "location"),
            }),
        }
    }
}

fn expression(condition: &Expr) -> Value {
    let mut json = json!({});
    for (name, value) in [
        ("expression", &condition.expression),
        ("title", &condition.title),
        ("description", &condition.description),
        ("location", &condition.location),
    ] {
        if !value.is_empty() {
            json[name] = value.as_str().into();
        }
    }
    json
}

fn audit(config: &v1::AuditConfig) -> Value {
    let logs = config.audit_log_configs.iter().map(|log| {
        let mut json = json!({"logType": log.log_type().as_str_name()});
        if !log.exempted_members.is_empty() {
            json["exemptedMembers"] = log.exempted_members.clone().into();
        }
        json
    });
    json!({"service": config.service, "auditLogConfigs": logs.collect::<Vec<_>>()})
}

fn audit_proto(config: &Value) -> v1::AuditConfig {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let logs = config["auditLogConfigs"].as_array().into_iter().flatten();
    v1::AuditConfig {
        service: config["service"].as_str().unwrap_or_default().to_owned(),
        audit_log_configs: logs
            .map(|log| v1::AuditLogConfig {
                log_type: log_type(&log["logType"]),
                exempted_members: texts(&log["exemptedMembers"]),
            })
            .collect(),
    }
}

fn log_type(value: &Value) -> i32 {
    let named = value.as_str().and_then(LogType::from_str_name).map(|named| named as i32);
    named.or_else(|| i32::try_from(value.as_i64()?).ok()).unwrap_or_default()
}
