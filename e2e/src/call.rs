//! What a person does on the page, and what they see and hear of the other.

use std::time::Duration;

use crate::browser::{Browsers, Window, WindowOptions};

/// Someone with a browser.
pub struct Caller {
    pub window: Window,
}

impl Caller {
    /// Someone at a window that is open already.
    pub fn at(window: &Window) -> Self {
        Self { window: window.clone() }
    }

    /// Opens the page and stays in the lobby.
    pub async fn in_lobby(browsers: &Browsers, url: &str, options: WindowOptions) -> Self {
        let window = browsers.open_with(options).await;
        window.go(url).await;
        window.screen("lobby").await;
        Self { window }
    }

    /// Opens the page and joins.
    pub async fn join(browsers: &Browsers, url: &str, name: &str) -> Self {
        Self::join_with(browsers, url, name, WindowOptions::default()).await
    }

    pub async fn join_with(browsers: &Browsers, url: &str, name: &str, options: WindowOptions) -> Self {
        let caller = Self::in_lobby(browsers, url, options).await;
        caller.enter(name).await;
        caller
    }

    /// Presses Join, and waits to be in.
    pub async fn enter(&self, name: &str) {
        self.window.fill("#name", name).await;
        self.window.press("#join").await;
        self.window.screen("call").await;
    }

    /// Waits until the picture of someone else moves.
    pub async fn sees_moving_picture(&self) {
        self.window.until(&format!("{PICTURE} && {MOVES}")).await;
    }

    /// Waits until something is heard that is not silence.
    pub async fn hears_sound(&self) {
        self.window.until(HEARS).await;
    }

    /// Waits until the page says this of someone else.
    pub async fn sees(&self, attribute: &str, value: &str) {
        self.window
            .until(&format!("document.querySelector('.tile')?.dataset.{attribute} === {value:?}"))
            .await;
    }

    /// Waits, no longer than this, until nobody else is there.
    pub async fn is_alone_within(&self, within: Duration) {
        self.window.until_within("!document.querySelector('.tile')", within).await;
    }

    pub async fn close(self) {
        self.window.close().await;
    }
}

/// The remote video has a picture.
const PICTURE: &str = "document.querySelector('.tile video')?.videoWidth > 0";

/// Two readings of the remote picture, a moment apart, differ.
const MOVES: &str = "await (async () => {
    const video = document.querySelector('.tile video');
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 });
    const read = () => {
        const context = canvas.getContext('2d');
        context.drawImage(video, 0, 0, 64, 48);
        return context.getImageData(0, 0, 64, 48).data.join();
    };
    const first = read();
    const frames = new Promise(then => video.requestVideoFrameCallback(() => video.requestVideoFrameCallback(then)));
    await Promise.race([frames, new Promise(then => setTimeout(then, 1000))]);
    return first !== read();
})()";

/// The remote sound is louder than nothing, in a second of it: the fake microphone beeps more often than that. It is
/// recorded and decoded, for a browser on a machine that has no sound device may not run an `AudioContext`.
const HEARS: &str = "await (async () => {
    const tracks = document.querySelector('.tile video')?.srcObject?.getAudioTracks() ?? [];
    if (!tracks.length) return false;
    const recorder = new MediaRecorder(new MediaStream(tracks));
    const recorded = new Promise(then => { recorder.ondataavailable = ({ data }) => then(data); });
    recorder.start();
    await new Promise(then => setTimeout(then, 1000));
    recorder.stop();
    const bytes = await (await recorded).arrayBuffer();
    if (!bytes.byteLength) return false;
    const sound = await new OfflineAudioContext(1, 1, 48000).decodeAudioData(bytes);
    return sound.getChannelData(0).some(sample => Math.abs(sample) > 0.01);
})()";
