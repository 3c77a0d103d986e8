import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

/**
 * What the process says about itself: processors, memory and start under the names that every exporter uses, and how late
 * its event loop is. Answers with the end of the watch.
 */
export function watchProcess(registry: Registry): () => void {
  // What blocks for longer than 20 ms is seen. Node tells of the whole time between two looks (measured: 20.4 ms at rest).
  const resolution = 20;
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  const own = [
    new Gauge({
      name: 'ame_event_loop_lag_seconds',
      help: 'How late the event loop was since the metrics were last read.',
      labelNames: ['at'],
      registers: [],
      collect() {
        // Without a sample, right after the last reading, the numbers are not finite.
        const seconds = (nanoseconds: number): number =>
          delay.count === 0 ? 0 : Math.max(0, nanoseconds / 1e9 - resolution / 1_000);
        this.set({ at: 'p50' }, seconds(delay.percentile(50)));
        this.set({ at: 'p99' }, seconds(delay.percentile(99)));
        this.set({ at: 'max' }, seconds(delay.max));
        delay.reset();
      },
    }),
    new Counter({
      name: 'process_cpu_seconds_total',
      help: 'Time of processors that the server used, in user and system mode.',
      registers: [],
      collect() {
        const { user, system } = process.cpuUsage();
        this.reset();
        this.inc((user + system) / 1e6);
      },
    }),
    new Gauge({
      name: 'process_resident_memory_bytes',
      help: 'Memory of the server that is in use.',
      registers: [],
      collect() {
        this.set(process.memoryUsage.rss());
      },
    }),
    new Gauge({
      name: 'process_start_time_seconds',
      help: 'When the server started, in seconds since 1970.',
      registers: [],
      collect() {
        this.set(Math.round(performance.timeOrigin / 1_000));
      },
    }),
  ];
  for (const metric of own) registry.registerMetric(metric);
  return () => void delay.disable();
}
