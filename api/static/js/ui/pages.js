/**
 * Pages behind a cursor, fetched when the end of the list comes near. Answers to an older question are dropped.
 */

const AHEAD_PX = 1200; // about two screens, so that the next page is there before the end is seen

/**
 * Loads pages one after the other.
 * @template {{ next: string | null }} P
 */
export class Pages {
  /** @type {string | null} */
  #cursor = null;
  #turn = 0;
  /** @type {Promise<void> | null} */
  #loading = null;
  isDone = false;

  /**
   * @param {(cursor: string|null) => Promise<P>} fetchPage answers with `next`, null at the end
   * @param {(page: P, isFirst: boolean) => void} show
   * @param {(error: unknown, isFirst: boolean) => void} fail
   */
  constructor(fetchPage, show, fail) {
    this.fetchPage = fetchPage;
    this.show = show;
    this.fail = fail;
  }

  /** Start again with the first page. */
  restart() {
    this.#turn += 1;
    this.#cursor = null;
    this.#loading = null;
    this.isDone = false;
    return this.more();
  }

  /** Load the next page; one that is on its way already is waited for. */
  more() {
    if (this.isDone) return Promise.resolve();
    this.#loading ??= this.#load(this.#turn);
    return this.#loading;
  }

  /** Let scrolling load again after a failure. */
  retry() {
    this.isDone = false;
    return this.more();
  }

  /** @param {number} turn */
  async #load(turn) {
    const isFirst = this.#cursor === null;
    try {
      const page = await this.fetchPage(this.#cursor);
      if (turn !== this.#turn) return;
      this.#cursor = page.next;
      this.isDone = !page.next;
      this.#loading = null;
      this.show(page, isFirst);
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#loading = null;
      this.isDone = true; // a broken list is not asked again by scrolling, only by its button
      this.fail(error, isFirst);
    }
  }
}

/**
 * Call `more` whenever the end comes near.
 * @param {Element} end what stands behind the last entry
 * @param {() => void} more
 * @param {Element|null} root the scrolling element; the page if null
 * @returns {{check: () => void, stop: () => void}} `check` looks again, after entries were added
 */
export function whenNear(end, more, root = null) {
  const observer = new IntersectionObserver(([entry]) => entry.isIntersecting && more(), {
    root,
    rootMargin: `${AHEAD_PX}px 0px`,
  });
  observer.observe(end);
  const check = () => {
    observer.unobserve(end);
    observer.observe(end);
  };
  return { check, stop: () => observer.disconnect() };
}
