/** What went wrong, in words for people. */

/** An answer that is not a success: `message` and `hint` are for people. */
export class ApiError extends Error {
  /** @param {ApiFailure} problem */
  constructor(problem) {
    super(problem.error);
    this.told = problem;
    this.name = "ApiError";
    this.status = problem.status;
    this.hint = problem.hint ?? "";
    this.field = problem.field ?? null;
    this.code = problem.code ?? "";
    this.retryAfter = problem.retry_after ?? null;
    this.signInUrl = problem.sign_in_url ?? null;
    this.layer = problem.layer ?? "";
  }
}

/** What was caught, as an ApiError; a fault of this page's own has no status. @param {unknown} error */
export function asApiError(error) {
  if (error instanceof ApiError) return error;
  return new ApiError({ status: -1, error: error instanceof Error ? error.message : String(error) });
}

/** The sentence of what went wrong, and its hint. @param {unknown} error */
export function wordsOf(error) {
  const { message, hint } = asApiError(error);
  return [message, hint].filter(Boolean).join(" ");
}

/** Whether a request was given up by this page itself. @param {unknown} error */
export const isAborted = (error) => error instanceof DOMException && error.name === "AbortError";
