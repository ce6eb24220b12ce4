// What a long piece of work reports while it goes on, and how it is stopped.

const OFTEN_ENOUGH = 50; // milliseconds

/** What a caller passes along: a progress function and a signal to stop, both optional. */
export class Work {
  #stage = "";
  #last = 0; // when it was reported

  constructor({ onProgress = () => {}, signal } = {}) {
    this.onProgress = onProgress;
    this.signal = signal;
  }

  /**
   * Report `done` of `total` steps of a stage, let messages in, and stop if one said so. Steps that
   * follow one another within a moment are not reported.
   */
  async report(stage, done, total) {
    const isMoment = performance.now() - this.#last < OFTEN_ENOUGH;
    if (stage === this.#stage && done < total && isMoment) return;

    this.onProgress({ stage, done, total });
    await this.pause();
    this.#stage = stage;
    this.#last = performance.now();
  }

  /** Let messages in, and stop if one said so. */
  async pause() {
    await new Promise((resolve) => {
      setTimeout(resolve);
    });
    this.signal?.throwIfAborted();
  }
}
