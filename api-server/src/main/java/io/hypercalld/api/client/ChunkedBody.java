package io.hypercalld.api.client;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * A body that comes in chunks. Confined to the thread that reads it.
 *
 * @see "RFC 9112 §7.1"
 */
final class ChunkedBody extends FilterInputStream {
  private static final int HEXADECIMAL = 16;

  private long left;
  private boolean begun;
  private boolean ended;

  ChunkedBody(InputStream in) {
    super(in);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (left == 0) {
      nextChunk();
    }
    if (ended) {
      return -1;
    }
    int count = in.read(into, offset, (int) Math.min(length, left));
    if (count < 0) {
      throw new IOException("the answer ends too early");
    }
    left -= count;
    return count;
  }

  private void nextChunk() throws IOException {
    if (ended) {
      return;
    }
    if (begun) {
      HttpAnswer.line(in);
    }
    begun = true;
    try {
      left = Long.parseLong(HttpAnswer.line(in).split(";", 2)[0].strip(), HEXADECIMAL);
    } catch (NumberFormatException e) {
      throw new IOException("the answer is no HTTP", e);
    }
    ended = left == 0;
  }
}
