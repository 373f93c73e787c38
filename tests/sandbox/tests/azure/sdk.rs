//! Microsoft's own libraries as independent clients of the double.

use std::path::PathBuf;
use std::process::Command;

use wbstore_sandbox::aws::finish;
use wbstore_sandbox::azure::PYTHON;
use wbstore_sandbox::azure::double::Options;
use wbstore_sandbox::venv::Requirements;

use crate::support::{double, fresh};

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn microsofts_libraries_create_poll_update_receive_and_delete() {
    let double = double(Options::default()).await;
    let python = match std::env::var_os(PYTHON) {
        Some(path) => PathBuf::from(path),
        None => Requirements::AZURE.python().expect("the libraries can be installed"),
    };
    let account = fresh("acme");
    let mut command = Command::new(python);
    command
        .args(["-c", include_str!("sdk.py")])
        .args([double.arm_url(), double.blob_url(), double.queue_url(), double.subscription()])
        .args([double.group(), account.as_str()])
        .envs(double.managed_env(&double.principal()));
    let ran = finish(command).await;
    assert_eq!(ran.code, Some(0), "{ran}");
    let expected = format!(
        "available: True\n\
         made: {account} StorageV2 westeurope Succeeded {{'wbstore-deployment': 'acme'}}\n\
         tags: {{'more': '1', 'wbstore-deployment': 'acme'}}\n\
         listed: ['{account}']\n\
         available: False\n\
         container: {{'wbstore_deployment': 'acme'}} None\n\
         container: {{'n': '2', 'wbstore_deployment': 'acme'}} None\n\
         containers: ['wandb', 'wandb2']\n\
         queue: {{'wbstore_deployment': 'acme'}}\n\
         queues: ['wandb']\n\
         cors: [['https://wandb.acme.com']]\n\
         six rules: 400\n\
         no queue: 400\n\
         subscription: wbstore-acme Succeeded ['wbstore:acme']\n\
         topics: 1\n\
         events: [('Microsoft.Storage.BlobCreated', '/blobServices/default/containers/wandb/blobs/run/a b.txt')]\n\
         read with SAS: b'hello'\n\
         anonymous: PublicAccessNotPermitted\n\
         subscriptions: []\n\
         container again: ContainerOperationFailure\n\
         queue again: QueueBeingDeleted\n\
         gone: ResourceNotFound\n"
    );
    assert_eq!(ran.stdout, expected, "{ran}");
}
