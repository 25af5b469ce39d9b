//! How loud the microphone is (Web Audio, AnalyserNode).

use web_sys::{AnalyserNode, AudioContext, MediaStream, MediaStreamAudioSourceNode};

use super::task::spawn;

/// Samples looked at for one reading: 10 ms and more at any usual rate.
const WINDOW: u32 = 512;

/// Listens to a stream without playing it. Dropping it closes the audio context.
pub struct Meter {
    context: AudioContext,
    analyser: AnalyserNode,
    _source: MediaStreamAudioSourceNode,
}

impl Meter {
    /// Listens to `stream`. `None` if it has no sound or the browser no Web Audio.
    #[must_use]
    pub fn new(stream: &MediaStream) -> Option<Self> {
        if stream.get_audio_tracks().length() == 0 {
            return None;
        }
        let context = AudioContext::new().ok()?;
        let analyser = context.create_analyser().ok()?;
        analyser.set_fft_size(WINDOW);
        let source = context.create_media_stream_source(stream).ok()?;
        source.connect_with_audio_node(&analyser).ok()?;
        Some(Self { context, analyser, _source: source })
    }

    /// The loudest sample of this moment, in per cent of full scale.
    #[must_use]
    pub fn level(&self) -> u32 {
        let mut samples = [128_u8; WINDOW as usize];
        self.analyser.get_byte_time_domain_data(&mut samples);
        samples.iter().map(|sample| u32::from(sample.abs_diff(128))).max().unwrap_or(0) * 100 / 128
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Ok(closed) = self.context.close() {
            spawn(async move {
                let _ = wasm_bindgen_futures::JsFuture::from(closed).await;
            });
        }
    }
}
