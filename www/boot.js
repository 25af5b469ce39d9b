// Starts the program, or says in words why it cannot start. Everything else is in Rust.

const byId = (id) => document.getElementById(id);

/** Shows the screen for browsers in which the program does not run. */
function refuse(title, words, anotherBrowserHelps) {
  byId("unsupported-title").textContent = title;
  byId("unsupported-words").textContent = words;
  byId("unsupported-browsers").hidden = !anotherBrowserHelps;
  document.body.dataset.screen = "unsupported";
  byId("unsupported-title").focus();
}

async function start() {
  if (typeof WebAssembly !== "object") {
    const words = "It has no WebAssembly, or WebAssembly is switched off (some browsers do that in a lockdown mode).";
    refuse("This browser cannot make calls", words, true);
    return;
  }
  try {
    const { default: init } = await import("./duologue-app.js");
    await init({ module_or_path: "./duologue-app_bg.wasm" });
  } catch (error) {
    console.error(error);
    if (error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError) {
      const words = `It is too old for Duologue, or the program arrived damaged. The browser says: ${error.message}`;
      refuse("This browser cannot make calls", words, true);
    } else {
      const words = `Check your connection, then try again. The browser says: ${error.message || error}`;
      refuse("Duologue did not start", words, false);
    }
  }
}

byId("reload").addEventListener("click", () => location.reload());
start();
