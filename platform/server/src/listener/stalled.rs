//! A stream whose other end must take what is written, in time.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// Bytes that a client may still be sending when its answer is out, and are taken so that it comes to reading that answer.
const LAST_BYTES: usize = 256 << 20;

/// How long such a client may be silent.
const LAST_PAUSE: Duration = Duration::from_millis(300);

/// Fails a write that made no progress for so long: a client that does not read would hold its answer in memory for ever.
pub(super) struct Stalled<S> {
    stream: S,
    limit: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    /// Taken since the answer was out.
    taken: usize,
}

impl<S> Stalled<S> {
    pub(super) fn new(stream: S, limit: Duration) -> Self {
        Self {
            stream,
            limit,
            waiting: None,
            taken: 0,
        }
    }

    fn watch<T>(&mut self, context: &mut Context<'_>, progress: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if progress.is_ready() {
            self.waiting = None;
            return progress;
        }
        let limit = self.limit;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        match waiting.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the client does not read its answer",
            ))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stalled<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stalled<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, progress)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, progress)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let progress = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(context, progress)
    }

    /// Ends the answer, then takes what the client is still sending: closed before that, the system would answer it with a
    /// reset, and an upload that is refused for its size would look like a broken line.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.taken == 0 {
            let progress = Pin::new(&mut self.stream).poll_shutdown(context);
            ready!(self.watch(context, progress))?;
            self.limit = LAST_PAUSE;
        }
        let mut scratch = [0; 16 << 10];
        while self.taken < LAST_BYTES {
            let mut buffer = ReadBuf::new(&mut scratch);
            let progress = Pin::new(&mut self.stream).poll_read(context, &mut buffer);
            match self.watch(context, progress) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => self.taken += buffer.filled().len(),
                Poll::Ready(_) => break,
                Poll::Pending => {
                    // Its answer is out: from here on only the rest is waited for.
                    self.taken = self.taken.max(1);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::Stalled;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_write_waits_for_its_reader_but_not_for_ever() {
        let (near, mut far) = tokio::io::duplex(4);
        let mut stream = Stalled::new(near, Duration::from_millis(500));
        let reader = tokio::spawn(async move {
            let mut taken = [0; 8];
            tokio::time::sleep(Duration::from_millis(50)).await;
            let _ = far.read_exact(&mut taken).await;
            far
        });
        assert!(stream.write_all(b"12345678").await.is_ok());
        let _far = reader.await;
        let refused = stream.write_all(b"12345678").await.map_err(|cause| cause.kind());
        assert_eq!(refused, Err(std::io::ErrorKind::TimedOut));
    }
}
