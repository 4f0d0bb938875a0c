// Server-sent events of a job.

/** One thing that happened to a job. */
export interface JobEvent {
  id: string;
  /** `state` or `progress`. */
  kind: string;
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  percent?: number;
}

/** The events of a stream, as the WHATWG's specification reads them, as far as this server uses it. */
export async function* eventsOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<JobEvent> {
  const reader = stream.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string) => block.split('\n').find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1).trim();
        const data = field('data');
        if (data) yield { ...JSON.parse(data), id: field('id') ?? '', kind: field('event') ?? 'message' };
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
