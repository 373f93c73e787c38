"""Reads a deployment through google-api-python-client, uploads an object and pulls its event.

The client makes its methods from the discovery documents that Google publishes for each API; only
the address in them is another here.
"""

import io
import json
import os
import sys

import google.auth
from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc
from googleapiclient.http import MediaIoBaseUpload

BUCKET, NAME, SERVER = sys.argv[1:]
URL = os.environ["STORAGE_EMULATOR_HOST"]
PROJECT = os.environ["GOOGLE_CLOUD_PROJECT"]
CREDENTIALS, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])


def api(name, version):
    document = json.loads(get_static_doc(name, version))
    document["rootUrl"] = f"{URL}/"
    document["baseUrl"] = f"{URL}/{document['servicePath']}"
    return build_from_document(document, credentials=CREDENTIALS)


storage, pubsub, iam = api("storage", "v1"), api("pubsub", "v1"), api("iam", "v1")
topics, subscriptions = pubsub.projects().topics(), pubsub.projects().subscriptions()
topic = f"projects/{PROJECT}/topics/{NAME}"
subscription = f"projects/{PROJECT}/subscriptions/{NAME}"
account = f"projects/-/serviceAccounts/{SERVER}"

found = {
    "bucket": storage.buckets().get(bucket=BUCKET).execute(),
    "bucket_policy": storage.buckets().getIamPolicy(bucket=BUCKET).execute(),
    "notifications": storage.notifications().list(bucket=BUCKET).execute().get("items", []),
    "topic": topics.get(topic=topic).execute(),
    "topic_policy": topics.getIamPolicy(resource=topic).execute(),
    "subscription": subscriptions.get(subscription=subscription).execute(),
    "subscription_policy": subscriptions.getIamPolicy(resource=subscription).execute(),
    "account_policy": iam.projects().serviceAccounts().getIamPolicy(resource=account).execute(),
}
upload = MediaIoBaseUpload(io.BytesIO(b"hello"), mimetype="text/plain", resumable=True)
storage.objects().insert(bucket=BUCKET, name="runs/python.txt", media_body=upload).execute()
found["content"] = storage.objects().get_media(bucket=BUCKET, object="runs/python.txt").execute().decode()
pulled = subscriptions.pull(subscription=subscription, body={"maxMessages": 1}).execute()
[received] = pulled["receivedMessages"]
subscriptions.acknowledge(subscription=subscription, body={"ackIds": [received["ackId"]]}).execute()
found["event"] = received["message"]
print(json.dumps(found))
