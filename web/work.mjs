// What a long piece of work reports while it goes on, and how it is stopped.

/** What a caller passes along: a progress function and a signal to stop, both optional. */
export class Work {
  constructor({ onProgress = () => {}, signal } = {}) {
    this.onProgress = onProgress;
    this.signal = signal;
  }

  /** Report `done` of `total` steps of a stage, let messages in, and stop if one said so. */
  async report(stage, done, total) {
    this.onProgress({ stage, done, total });
    await new Promise((resolve) => {
      setTimeout(resolve);
    });
    this.signal?.throwIfAborted();
  }
}
