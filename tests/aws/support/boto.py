"""Runs boto3 code for the tests: a request is one line of JSON on a connection of its own.

Importing boto3 and reading its API models takes half a second; here that is done once for all tests.
Ends when its standard input does, and so with the tests.
"""

import ast
import json
import os
import socketserver
import sys
import threading
import traceback
import xml.etree.ElementTree as ET

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import create_loader

LOADER = create_loader()
COMPILING = threading.Lock()


class Names(dict):
    """What the code may use: the request's variables, and a client where it names a service."""

    def __init__(self, request):
        super().__init__(request["variables"])
        self.request = request
        self.bodies = []
        self.update(json=json, raw=self.raw, url=self.url, client=self.client)

    def __missing__(self, name):
        if name not in ("s3", "sqs", "sns", "kms", "iam"):
            raise KeyError(name)
        self[name] = self.client(name)
        return self[name]

    def client(self, service, **other):
        session = botocore.session.get_session()
        session.register_component("data_loader", LOADER)
        arguments = {
            "endpoint_url": self.request["endpoint"],
            "region_name": self.request["region"],
            "aws_access_key_id": self.request["account"],
            "aws_secret_access_key": "sandbox",
            "config": Config(s3={"addressing_style": "path"}),
        }
        client = boto3.Session(botocore_session=session).client(service, **(arguments | other))
        client.meta.events.register("after-call", self.remember)
        return client

    def remember(self, http_response, **_):
        self.bodies.append(http_response)

    def raw(self, _):
        """The XML of the answer to the call that was just made.

        Within an entry S3 puts the elements into an order of its own, which the emulators do not;
        so here they are sorted by name. Elements of one name stay as they stand.
        """
        document = ET.fromstring(self.bodies[-1].text)
        for entry in document:
            entry[:] = sorted(entry, key=lambda element: element.tag)
        ET.register_namespace("", "http://s3.amazonaws.com/doc/2006-03-01/")
        return ET.tostring(document, encoding="unicode")

    def url(self, queue):
        return self["sqs"].get_queue_url(QueueName=queue)["QueueUrl"]


def plain(value):
    if hasattr(value, "read"):
        return value.read().decode()
    return str(value)


def compiled(code):
    """The statements, and the value of the last one where that is an expression.

    One thread at a time: before 3.11.9 CPython counts the depth of all trees in one place and fails when
    two threads build one ("AST constructor recursion depth mismatch", python/cpython#106905).
    """
    with COMPILING:
        tree = ast.parse(code)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        statements = compile(tree, "<test>", "exec")
        return statements, compile(ast.Expression(last.value), "<test>", "eval") if last else None


def run(request):
    """Runs all statements; the result is the value of the last one, when that is an expression."""
    names = Names(request)
    statements, last = compiled(request["code"])
    exec(statements, names)
    value = eval(last, names) if last else None
    if isinstance(value, dict):
        value.pop("ResponseMetadata", None)
    return value


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            answer = {"value": run(json.loads(self.rfile.readline()))}
        except Exception:
            answer = {"error": traceback.format_exc()}
        self.wfile.write(json.dumps(answer, default=plain).encode() + b"\n")


def outlive_nobody():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=outlive_nobody, daemon=True).start()
with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()
