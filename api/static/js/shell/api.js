/** Speaks to Easel's own HTTP API (same origin): JSON in and out, errors as ApiError, sign-in when it is needed. */

import { ApiError, asApiError, isAborted } from "../ui/errors.js";
import { _ } from "../ui/text.js";
import { parseExact } from "./exact.js";

const UNREACHABLE = {
  status: 0,
  code: "unreachable",
  error: _("Easel does not answer."),
  hint: _("Check your connection; the page tries again by itself."),
};
/** @type {Promise<void> | null} */
let signingIn = null;

/** The session, fetched once; `user` is null when signed out. */
export const session = loadSession();

/** @returns {Promise<Session>} */
async function loadSession() {
  for (let wait = 500; ; wait = Math.min(wait * 2, 8000)) {
    try {
      return await request("GET", "/api/session", { quiet: true });
    } catch (caught) {
      const error = asApiError(caught);
      if (error.status === 401) {
        signIn(error.signInUrl);
        return {
          user: null,
          version: "",
          limits: {},
          open_job: null,
          has_paid_engines: false,
          text: null,
          discord: null,
          sign_in_url: error.signInUrl,
        };
      }
      await new Promise((done) => setTimeout(done, wait)); // the server restarts: keep trying
    }
  }
}

/**
 * Path with a query; empty values are left out, lists repeat the name.
 * @param {string} path
 * @param {object | null} [query]
 */
export function urlOf(path, query) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query || {})) {
    for (const item of Array.isArray(value) ? value : [value])
      if (item !== null && item !== undefined && item !== "" && item !== false) params.append(name, String(item));
  }
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

/**
 * @param {string} method @param {string} path @param {ApiOptions & ApiContent} [options]
 * @returns {Promise<any>} what the path gives: `ApiClient` says it
 */
async function request(method, path, { body, query, headers = {}, signal, quiet = false, as = "json" } = {}) {
  const isRaw = body instanceof Blob || body instanceof ArrayBuffer;
  /** @type {Record<string, string>} */
  const all = { Accept: "application/json", ...headers };
  if (body !== undefined && !isRaw) all["Content-Type"] = "application/json";
  const plain = isRaw ? body : JSON.stringify(body); // undefined stays undefined
  let response;
  try {
    response = await fetch(urlOf(path, query), {
      method,
      headers: all,
      signal,
      body: plain,
      credentials: "same-origin",
    });
  } catch (error) {
    if (isAborted(error)) throw error;
    throw new ApiError(UNREACHABLE);
  }
  if (!response.ok) throw await failure(response, quiet);
  if (response.status === 204) return null;
  return as === "blob" ? response.blob() : parseExact(await response.text());
}

/** @param {Response} response @param {boolean} quiet */
async function failure(response, quiet) {
  let answer = {};
  try {
    answer = await response.json();
  } catch {
    answer = {}; // a proxy's page, not ours
  }
  const error = new ApiError({
    error: `Easel answered with an error (${response.status}).`,
    retry_after: Number(response.headers.get("Retry-After")) || null,
    ...answer,
    status: response.status,
  });
  if (error.status === 401 && !quiet) signIn(error.signInUrl);
  return error;
}

/** Ask the visitor to sign in; one dialog however many requests were refused. @param {string | null} url */
export function signIn(url) {
  signingIn ||= import("./sign-in.js").then(async ({ askToSignIn }) => {
    await askToSignIn(url);
    signingIn = null;
  });
  return signingIn;
}

/**
 * The API, with whole paths ("/api/gallery"). Each call resolves to the answer (null for 204) or throws ApiError.
 * Options: {headers, signal, quiet: true (no sign-in dialog), as: "blob"}.
 * @type {ApiClient}
 */
export const api = {
  get: (path, query, options) => request("GET", path, { ...options, query }),
  post: (path, body = {}, options) => request("POST", path, { ...options, body }),
  put: (path, body = {}, options) => request("PUT", path, { ...options, body }),
  patch: (path, body = {}, options) => request("PATCH", path, { ...options, body }),
  del: (path, body, options) => request("DELETE", path, { ...options, body }),
  upload(path, blob, options) {
    const headers = { "Content-Type": blob.type || "application/octet-stream", ...options?.headers };
    return request("POST", path, { ...options, body: blob, headers });
  },
};
