/** Has the worker lay out a graph; the latest task wins. */
import LayoutWorker from './layout.worker?worker';
import type { Step, Task } from './layout.worker';

export class Layout {
  #worker: Worker | null = null;

  /** Begins a layout, and gives up the one before. */
  run(task: Task, onstep: (step: Step) => void): void {
    this.stop();
    const worker = new LayoutWorker();
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Step>) => {
      if (this.#worker !== worker) return;
      if (data.rests) this.stop();
      onstep(data);
    };
    worker.postMessage(task, [task.positions.buffer, task.links.buffer]);
  }

  stop(): void {
    this.#worker?.terminate();
    this.#worker = null;
  }
}
