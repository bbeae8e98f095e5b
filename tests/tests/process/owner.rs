//! A data folder has one owner at a time.

use anyhow::Result;
use tradepost_tests::build;
use tradepost_tests::host::Place;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_data_folder_is_refused_with_a_sentence() -> Result<()> {
    let root = tempfile::tempdir()?;
    let place = Place {
        program: tokio::task::spawn_blocking(build::program).await??,
        root: root.path().to_owned(),
        notes: None,
    };
    std::fs::create_dir_all(place.plugins())?;
    std::fs::write(place.config(), "")?;
    let mut host = place.spawn()?;
    host.ready().await?;

    let second = place.serve().output().await?;
    let words = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{words}");
    assert!(words.to_lowercase().contains("another tradepost process works with"), "{words}");
    assert!(words.to_lowercase().contains("stop it first"), "it says what to do: {words}");

    // The first one does not mind, and still answers where it said.
    let status = host.ask(reqwest::Method::GET, "/status", None).await?;
    assert_eq!(status["automatic"], false, "{status}");
    assert_eq!(host.stop().await?.code(), Some(0));

    // The folder is free again, also after a life that was killed.
    let mut again = place.spawn()?;
    again.ready().await?;
    assert!(!again.kill().await?, "it was told to die nowhere");
    let mut last = place.spawn()?;
    last.ready().await?;
    assert_eq!(last.stop().await?.code(), Some(0));
    Ok(())
}
