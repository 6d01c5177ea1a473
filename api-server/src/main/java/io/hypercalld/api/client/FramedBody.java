package io.hypercalld.api.client;

import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Iterator;
import java.util.List;

/** A body in frames, each of which says how long it is. Confined to the thread that reads it. */
final class FramedBody extends FilterInputStream {
  private final Framing framing;
  private long left;
  private boolean ended;

  /** Finds out how long frames are. */
  private interface Framing {
    /** Bytes of the next frame; 0 at the end. */
    long next() throws IOException;
  }

  private FramedBody(InputStream in, Framing framing) {
    super(in);
    this.framing = framing;
  }

  /** A body of known length: one frame. */
  static FramedBody measured(InputStream in, long length) {
    Iterator<Long> only = List.of(length).iterator();
    return new FramedBody(in, () -> only.hasNext() ? only.next() : 0);
  }

  /**
   * A body that comes in chunks.
   *
   * @see "RFC 9112 §7.1"
   */
  static FramedBody chunked(InputStream in) {
    return new FramedBody(in, new Chunks(in));
  }

  /** A line before each chunk has its length, and one after it nothing. */
  private static final class Chunks implements Framing {
    private static final int HEXADECIMAL = 16;

    private final InputStream in;
    private boolean begun;

    Chunks(InputStream in) {
      this.in = in;
    }

    @Override
    public long next() throws IOException {
      if (begun) {
        HttpAnswer.line(in);
      }
      begun = true;
      try {
        return Long.parseLong(HttpAnswer.line(in).split(";", 2)[0].strip(), HEXADECIMAL);
      } catch (NumberFormatException e) {
        throw new IOException("the answer is no HTTP", e);
      }
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (left == 0 && !ended) {
      left = framing.next();
      ended = left == 0;
    }
    if (ended) {
      return -1;
    }
    int count = in.read(into, offset, (int) Math.min(length, left));
    if (count < 0) {
      throw new EOFException("the answer ends too early");
    }
    left -= count;
    return count;
  }
}
