//! The role that the server has, and who may assume it: pods of a cluster, or a machine.
//!
//! The trust policies are those of the EKS user guide, "Assign IAM roles to Kubernetes service accounts" and "Create IAM
//! role with trust policy required by EKS Pod Identity", and of the IAM user guide, "IAM roles for Amazon EC2".

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::account::AccountId;
use super::eks_cluster::EksCluster;
use super::oidc_provider::OidcProvider;
use super::region::Region;
use super::role_name::RoleName;
use crate::error::{Error, Result};
use crate::option::parsed;
use crate::pods::{ACCOUNTS, PodIdentity, PodOptions, Pods, Trust, refuse_beside, refuse_without_trust};

/// How the server is given its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TrustHow {
    /// Pods with a service account that is annotated with the role (IAM roles for service accounts)
    Irsa,
    /// Pods with a service account that an EKS cluster associates with the role
    PodIdentity,
    /// A virtual machine with the role as its instance profile
    Ec2,
}

impl TrustHow {
    fn name(self) -> &'static str {
        match self {
            Self::Irsa => "irsa",
            Self::PodIdentity => "pod-identity",
            Self::Ec2 => "ec2",
        }
    }
}

/// The options of `policy` for the role of the server.
#[derive(Args, Clone, Debug, Default)]
#[command(mut_arg("service_accounts", |option| option.visible_alias("service-account")))]
#[group(skip)]
pub(crate) struct TrustOptions {
    /// Also print the role that has the permissions, and who may assume it
    #[arg(long, value_enum, value_name = "HOW")]
    trust: Option<TrustHow>,
    #[command(flatten)]
    pods: PodOptions,
    /// With --trust irsa: OpenID Connect issuer of the cluster, as a URL or as the ARN of its provider in IAM
    #[arg(long, value_name = "ISSUER", value_parser = parsed::<OidcProvider>())]
    oidc_provider: Option<OidcProvider>,
    /// With --trust pod-identity: name or ARN of the EKS cluster [default: any cluster of the account]
    #[arg(long, value_name = "CLUSTER", value_parser = parsed::<EksCluster>())]
    cluster: Option<EksCluster>,
    /// With --trust: name of the role [default: derived from deployment, account and region]
    #[arg(long, value_name = "NAME", value_parser = parsed::<RoleName>())]
    pub role_name: Option<RoleName>,
}

/// What may assume the role.
#[derive(Clone, Debug)]
pub(super) enum Trusted {
    Irsa { pods: Pods, provider: OidcProvider },
    PodIdentity { pods: Pods, cluster: Option<EksCluster> },
    Ec2,
}

impl TrustOptions {
    /// What may assume the role, if it is asked for.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for options that are missing or have no effect.
    pub(super) fn trusted(&self) -> Result<Option<Trusted>> {
        let [namespace, accounts] = self.pods.given();
        let provider = ("--oidc-provider", self.oidc_provider.is_some());
        let cluster = ("--cluster", self.cluster.is_some());
        let Some(how) = self.trust else {
            let role = ("--role-name", self.role_name.is_some());
            return refuse_without_trust(&[namespace, accounts, provider, cluster, role]).map(|()| None);
        };
        let refuse = |options: &[_]| refuse_beside(&format!("--trust {}", how.name()), options);
        Ok(Some(match how {
            TrustHow::Irsa => {
                refuse(&[cluster])?;
                let provider = self.oidc_provider.clone().ok_or_else(|| {
                    Error::input("--trust irsa requires the OpenID Connect issuer of the cluster").hint(
                        "add `--oidc-provider ISSUER`; `aws eks describe-cluster --name CLUSTER --query \
                         cluster.identity.oidc.issuer --output text` prints it",
                    )
                })?;
                Trusted::Irsa { pods: self.pods.pods(&[])?, provider }
            }
            TrustHow::PodIdentity => {
                refuse(&[provider])?;
                Trusted::PodIdentity { pods: self.pods.pods(&[])?, cluster: self.cluster.clone() }
            }
            TrustHow::Ec2 => {
                refuse(&[namespace, accounts, provider, cluster])?;
                Trusted::Ec2
            }
        }))
    }

    /// How it is asked for.
    ///
    /// # Errors
    /// As [`TrustOptions::trusted`].
    pub(super) fn asked(&self) -> Result<Option<Trust>> {
        let Some((trusted, how)) = self.trusted()?.zip(self.trust) else { return Ok(None) };
        let annotated = match trusted {
            Trusted::Irsa { pods, .. } => Some(pods),
            Trusted::PodIdentity { .. } | Trusted::Ec2 => None,
        };
        Ok(Some(Trust { how: how.name(), annotated }))
    }
}

/// The role of the server.
#[derive(Debug)]
pub(super) struct NodeRole {
    pub account: AccountId,
    pub name: RoleName,
    pub arn: String,
    /// Whether the role has other permissions already: that of a server whose team has a bucket.
    pub exists: bool,
    pub trusted: Trusted,
}

/// The audience of the tokens, in every partition: it is a name and no endpoint (amazon-eks-pod-identity-webhook,
/// README; eksctl-io/eksctl#1910 for China).
const AUDIENCE: &str = "sts.amazonaws.com";

/// The most characters of a trust policy, without white space (IAM user guide, "IAM and AWS STS quotas": role trust policy
/// length).
const LONGEST: usize = 2_048;

impl NodeRole {
    /// The trust policy of the role, for a bucket in `region`.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for a provider or a cluster of another account, or a policy that is
    /// longer than IAM accepts.
    pub(super) fn trust_policy(&self, region: &Region) -> Result<Value> {
        let account = &self.account;
        let statement = match &self.trusted {
            Trusted::Irsa { pods, provider } => {
                let key = |claim: &str| format!("{}:{claim}", provider.as_str());
                let condition =
                    Map::from_iter([(key("aud"), json!(AUDIENCE)), (key("sub"), json!(pods.subjects()))]);
                json!({
                    "Effect": "Allow",
                    "Principal": { "Federated": provider.arn(account, region)? },
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": { "StringEquals": condition },
                })
            }
            // The tags of the session are set by EKS, from the association and the pod.
            Trusted::PodIdentity { pods, cluster } => {
                let mut condition = json!({
                    "aws:SourceAccount": account,
                    "aws:RequestTag/kubernetes-namespace": pods.namespace,
                    "aws:RequestTag/kubernetes-service-account": pods.accounts,
                });
                if let (Some(cluster), Some(condition)) = (cluster, condition.as_object_mut()) {
                    condition.insert("aws:SourceArn".to_owned(), json!(cluster.arn(account, region)?));
                }
                json!({
                    "Effect": "Allow",
                    "Principal": { "Service": "pods.eks.amazonaws.com" },
                    "Action": ["sts:AssumeRole", "sts:TagSession"],
                    "Condition": { "StringEquals": condition },
                })
            }
            Trusted::Ec2 => json!({
                "Effect": "Allow",
                "Principal": { "Service": format!("ec2.{}", region.partition().dns_suffix) },
                "Action": "sts:AssumeRole",
            }),
        };
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
        let length = policy.to_string().len();
        if length > LONGEST {
            return Err(Error::input(format!(
                "the trust policy has {length} characters; IAM accepts {LONGEST}"
            ))
            .hint(format!("name fewer service accounts with `{ACCOUNTS}`")));
        }
        Ok(policy)
    }

    /// What fills the holes of the node's template; all `null` without a role.
    pub(super) fn holes(role: Option<&Self>, trust: &Value, region: &Region) -> [(&'static str, Value); 12] {
        let trusted = role.map(|role| &role.trusted);
        let (pods, cluster, url) = match trusted {
            Some(Trusted::Irsa { pods, provider }) => (Some(pods), None, provider.new_url()),
            Some(Trusted::PodIdentity { pods, cluster }) => (Some(pods), cluster.as_ref(), None),
            Some(Trusted::Ec2) | None => (None, None, None),
        };
        let flag = |set: bool| json!(set.then_some(true));
        let is_associated = matches!(trusted, Some(Trusted::PodIdentity { .. }));
        let associated = pods.filter(|_| is_associated).map(|pods| pods.accounts.as_slice());
        [
            ("trust", json!(role.map(|_| trust.to_string()))),
            ("creates_role", flag(role.is_some_and(|role| !role.exists))),
            ("role", json!(role.map(|role| &role.name))),
            ("role_arn", json!(role.map(|role| role.arn.as_str()))),
            ("irsa", flag(matches!(trusted, Some(Trusted::Irsa { .. })))),
            ("issuer_url", json!(url)),
            ("pod_identity", flag(is_associated)),
            ("associated", json!(associated)),
            ("ec2", flag(matches!(trusted, Some(Trusted::Ec2)))),
            ("namespace", json!(pods.map(|pods| &pods.namespace))),
            ("cluster", json!(cluster.map_or("CLUSTER", |cluster| cluster.name.as_str()))),
            ("cluster_region", json!(cluster.map_or(region, |cluster| cluster.region(region)))),
        ]
    }

    /// The properties of the role with `permissions` (CloudFormation template reference, `AWS::IAM::Role`).
    pub(super) fn document(&self, trust: Value, policy_name: &str, permissions: Value) -> Value {
        json!({
            "RoleName": self.name,
            "AssumeRolePolicyDocument": trust,
            "Policies": [{ "PolicyName": policy_name, "PolicyDocument": permissions }],
        })
    }

    /// What the pods require in Kubernetes to have it.
    pub(super) fn pods(&self) -> Option<PodIdentity> {
        let Trusted::Irsa { pods, .. } = &self.trusted else { return None };
        let annotations = Map::from_iter([("eks.amazonaws.com/role-arn".to_owned(), json!(self.arn))]);
        Some(PodIdentity { pods: pods.clone(), annotations, labels: Map::new(), global: Map::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(trusted: Trusted) -> NodeRole {
        let account = "123456789012".parse().unwrap();
        NodeRole { account, name: "r".parse().unwrap(), arn: "arn:r".to_owned(), exists: false, trusted }
    }

    fn policy(trusted: Trusted, region: &str) -> Result<Value> {
        role(trusted).trust_policy(&region.parse().unwrap())
    }

    fn pods(accounts: &[&str]) -> Pods {
        let service_accounts = accounts.iter().map(|name| name.parse().unwrap()).collect();
        PodOptions { namespace: Some("wandb".parse().unwrap()), service_accounts }.pods(&[]).unwrap()
    }

    #[test]
    fn a_machine_is_trusted_by_the_name_of_its_partition() {
        for (region, service) in [
            ("us-east-1", "ec2.amazonaws.com"),
            ("us-gov-west-1", "ec2.amazonaws.com"),
            ("cn-north-1", "ec2.amazonaws.com.cn"),
        ] {
            let policy = policy(Trusted::Ec2, region).unwrap();
            assert_eq!(policy["Statement"][0]["Principal"]["Service"], service);
        }
    }

    #[test]
    fn the_audience_is_the_same_in_every_partition_and_the_provider_is_not() {
        let name = "oidc.eks.cn-north-1.amazonaws.com.cn/id/AB";
        let provider: OidcProvider = name.parse().unwrap();
        let policy =
            policy(Trusted::Irsa { pods: pods(&["wandb-app", "wandb-api"]), provider }, "cn-north-1")
                .unwrap();
        insta::assert_snapshot!(policy, @r#"{"Statement":[{"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"oidc.eks.cn-north-1.amazonaws.com.cn/id/AB:aud":"sts.amazonaws.com","oidc.eks.cn-north-1.amazonaws.com.cn/id/AB:sub":["system:serviceaccount:wandb:wandb-app","system:serviceaccount:wandb:wandb-api"]}},"Effect":"Allow","Principal":{"Federated":"arn:aws-cn:iam::123456789012:oidc-provider/oidc.eks.cn-north-1.amazonaws.com.cn/id/AB"}}],"Version":"2012-10-17"}"#);
    }

    #[test]
    fn what_iam_rejects_is_refused() {
        let provider: OidcProvider = "oidc.acme.com".parse().unwrap();
        let many: Vec<String> = (0..40).map(|n| format!("{n:0>63}")).collect();
        let many = pods(&many.iter().map(String::as_str).collect::<Vec<_>>());
        let error = policy(Trusted::Irsa { pods: many, provider }, "us-east-1").unwrap_err();
        assert!(error.what_next().unwrap().contains(ACCOUNTS), "{error:?}");
        let cluster = Some("arn:aws:eks:us-east-1:210987654321:cluster/prod".parse().unwrap());
        let elsewhere = Trusted::PodIdentity { pods: pods(&["wandb"]), cluster };
        assert!(policy(elsewhere, "us-east-1").unwrap_err().what_next().is_some());
    }

    #[test]
    fn the_service_accounts_of_the_chart_fit_into_one_role() {
        let issuer = format!("oidc.eks.ap-southeast-1.amazonaws.com/id/{}", "A".repeat(32));
        let provider: OidcProvider = issuer.parse().unwrap();
        assert!(policy(Trusted::Irsa { pods: pods(&[]), provider }, "ap-southeast-1").is_ok());
    }
}
