"""Drives the double with Microsoft's own libraries: create, poll, update, delete, receive."""

import base64
import json
import os
import sys
import time

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import ManagedIdentityCredential
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
from azure.mgmt.eventgrid import EventGridManagementClient
from azure.mgmt.eventgrid import models as grid
from azure.mgmt.storage import StorageManagementClient
from azure.mgmt.storage import models
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

arm, blob_url, queue_url, subscription, group, account = sys.argv[1:]


class OverHttp(ARMChallengeAuthenticationPolicy):
    """The double has no TLS; everything else is the library's own."""

    def on_request(self, request):
        request.context.options["enforce_https"] = False
        super().on_request(request)


credential = ManagedIdentityCredential()
options = dict(
    base_url=arm,
    polling_interval=0.05,
    authentication_policy=OverHttp(credential, "https://management.azure.com/.default"),
)
storage = StorageManagementClient(credential, subscription, **options)
events = EventGridManagementClient(credential, subscription, **options)

# An account, from its name to its key.
name = models.StorageAccountCheckNameAvailabilityParameters(name=account)
print("available:", storage.storage_accounts.check_name_availability(name).name_available)
parameters = models.StorageAccountCreateParameters(
    sku=models.Sku(name="Standard_LRS"), kind="StorageV2", location="West Europe",
    tags={"wbstore-deployment": "acme"}, minimum_tls_version="TLS1_2", allow_blob_public_access=False,
)
made = storage.storage_accounts.begin_create(group, account, parameters).result()
print("made:", made.name, made.kind.value, made.location, made.provisioning_state.value, made.tags)
update = models.StorageAccountUpdateParameters(tags={"wbstore-deployment": "acme", "more": "1"})
print("tags:", storage.storage_accounts.update(group, account, update).tags)
print("listed:", [one.name for one in storage.storage_accounts.list_by_resource_group(group)])
key = storage.storage_accounts.list_keys(group, account).keys_property[0].value
print("available:", storage.storage_accounts.check_name_availability(name).name_available)

# Containers and queues over the control plane.
for metadata in [{"wbstore_deployment": "acme"}, {"wbstore_deployment": "acme", "n": "2"}]:
    container = storage.blob_containers.create(group, account, "wandb", models.BlobContainer(metadata=metadata))
    print("container:", container.metadata, container.public_access.value)
storage.blob_containers.create(group, account, "wandb2", models.BlobContainer())
print("containers:", sorted(one.name for one in storage.blob_containers.list(group, account)))
queue = storage.queue.create(group, account, "wandb", models.StorageQueue(metadata={"wbstore_deployment": "acme"}))
print("queue:", queue.metadata)
print("queues:", [one.name for one in storage.queue.list(group, account)])

# CORS, and what a browser is told.
rule = models.CorsRule(
    allowed_origins=["https://wandb.acme.com"], allowed_methods=["GET", "PUT", "HEAD"], max_age_in_seconds=3600,
    exposed_headers=["ETag"], allowed_headers=["*"],
)
cors = models.CorsRules(cors_rules=[rule])
storage.blob_services.set_service_properties(group, account, models.BlobServiceProperties(cors=cors))
back = storage.blob_services.get_service_properties(group, account).cors.cors_rules
print("cors:", [rule.allowed_origins for rule in back])
try:
    six = models.BlobServiceProperties(cors=models.CorsRules(cors_rules=[rule] * 6))
    storage.blob_services.set_service_properties(group, account, six)
except HttpResponseError as error:
    print("six rules:", error.status_code)

# An event subscription, an upload, a message.
scope = made.id
destination = grid.StorageQueueEventSubscriptionDestination(
    resource_id=scope, queue_name="nobody", queue_message_time_to_live_in_seconds=604800)
wanted = grid.EventSubscription(
    destination=destination, labels=["wbstore:acme"],
    filter=grid.EventSubscriptionFilter(
        subject_begins_with="/blobServices/default/containers/wandb/blobs/",
        included_event_types=["Microsoft.Storage.BlobCreated"]),
)
try:
    events.event_subscriptions.begin_create_or_update(scope, "wbstore-acme", wanted).result()
except HttpResponseError as error:
    print("no queue:", error.status_code)
destination.queue_name = "wandb"
ready = events.event_subscriptions.begin_create_or_update(scope, "wbstore-acme", wanted).result()
print("subscription:", ready.name, ready.provisioning_state, ready.labels)
print("topics:", len(list(events.system_topics.list_by_resource_group(group))))

blobs = BlobServiceClient(f"{blob_url}/{account}", credential=key)
queues = QueueServiceClient(f"{queue_url}/{account}", credential=key)
blobs.get_blob_client("wandb2", "not ours").upload_blob(b"x")
blobs.get_blob_client("wandb", "run/a b.txt").upload_blob(b"hello")
client, bodies, end = queues.get_queue_client("wandb"), [], time.time() + 10
while not bodies and time.time() < end:
    bodies = [json.loads(base64.b64decode(message.content)) for message in client.peek_messages(max_messages=32)]
print("events:", [(body["eventType"], body["subject"]) for body in bodies])

# A signature that the control plane makes.
sas = models.AccountSasParameters(
    services="b", resource_types="o", permissions="r", shared_access_expiry_time="2099-01-01T00:00:00Z",
    key_to_sign="key1")
token = storage.storage_accounts.list_account_sas(group, account, sas).account_sas_token
print("read with SAS:", BlobServiceClient(f"{blob_url}/{account}", credential=token)
      .get_blob_client("wandb", "run/a b.txt").download_blob().readall())
try:
    BlobServiceClient(f"{blob_url}/{account}").get_blob_client("wandb", "run/a b.txt").download_blob()
except HttpResponseError as error:
    print("anonymous:", error.error_code)

# Away with it, and the names rest.
events.event_subscriptions.begin_delete(scope, "wbstore-acme").result()
print("subscriptions:", list(events.event_subscriptions.list_by_resource(
    group, "Microsoft.Storage", "storageAccounts", account)))
storage.blob_containers.delete(group, account, "wandb")
storage.queue.delete(group, account, "wandb")
for what, again in [
    ("container", lambda: storage.blob_containers.create(group, account, "wandb", models.BlobContainer())),
    ("queue", lambda: storage.queue.create(group, account, "wandb", models.StorageQueue())),
]:
    try:
        again()
    except HttpResponseError as error:
        print(f"{what} again:", error.error.code)
storage.storage_accounts.delete(group, account)
try:
    storage.storage_accounts.get_properties(group, account)
except ResourceNotFoundError as error:
    print("gone:", error.error.code)
