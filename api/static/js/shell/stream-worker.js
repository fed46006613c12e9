/** One stream for all tabs: a browser has six connections for one address, and the seventh tab would never load. */
import { openStream } from "./stream.js";

/** @type {Set<MessagePort>} */
const ports = new Set();
let isConnected = false;
/** @type {unknown} */
let queue = null;

const stream = openStream((kind, data) => {
  if (kind === "hello") isConnected = true;
  else if (kind === "lost") isConnected = false;
  else if (kind === "queue") queue = data;
  for (const port of ports) port.postMessage([kind, data]);
});

self.addEventListener("connect", (event) => {
  const [port] = /** @type {MessageEvent} */ (event).ports;
  ports.add(port);
  port.onmessage = ({ data }) => {
    if (data === "bye") ports.delete(port);
    else if (data === "retry" && !isConnected) stream.retry();
  };
  if (isConnected) port.postMessage(["hello", null]);
  if (queue) port.postMessage(["queue", queue]);
});
