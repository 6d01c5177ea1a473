package io.hypercalld.api.http;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;

/**
 * A body on its way from a connection, which brings it, to whoever reads it. Thread-safe.
 *
 * <p>Little of it is kept: who brings it is told when there is room for more.
 */
final class Intake extends InputStream {
  private static final int ENOUGH_BYTES = 1 << 20;

  private final Queue<byte[]> pieces = new ArrayDeque<>();
  private Optional<Runnable> waiting = Optional.empty();
  private byte[] current = {};
  private int at;
  private int kept;
  private boolean whole;
  private boolean cut;
  private boolean unread;

  /** Brings some of it. */
  synchronized void add(byte[] piece) {
    if (!unread && piece.length > 0) {
      pieces.add(piece);
      kept += piece.length;
      notifyAll();
    }
  }

  /** All of it has been brought. */
  synchronized void end() {
    whole = true;
    notifyAll();
  }

  /** No more will be brought, whether that is all or not. */
  synchronized void cut() {
    cut = true;
    notifyAll();
  }

  /** Has more brought once there is room for it. */
  void whenRoom(Runnable more) {
    synchronized (this) {
      if (kept >= ENOUGH_BYTES) {
        waiting = Optional.of(more);
        return;
      }
    }
    more.run();
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    Optional<Runnable> more;
    int count;
    synchronized (this) {
      if (length == 0) {
        return 0;
      }
      if (at == current.length && !next()) {
        return -1;
      }
      count = Math.min(length, current.length - at);
      System.arraycopy(current, at, into, offset, count);
      at += count;
      more = makeRoom(count);
    }
    more.ifPresent(Runnable::run);
    return count;
  }

  /** Waits for a piece; false at the end. */
  private boolean next() throws IOException {
    while (pieces.isEmpty()) {
      if (whole) {
        return false;
      }
      if (cut) {
        throw new IOException("the connection ended before the body did");
      }
      try {
        wait();
      } catch (InterruptedException e) {
        throw new IOException("nobody waits for the body any more", e);
      }
    }
    current = pieces.remove();
    at = 0;
    return true;
  }

  private Optional<Runnable> makeRoom(int bytes) {
    kept -= bytes;
    Optional<Runnable> more = kept < ENOUGH_BYTES ? waiting : Optional.empty();
    if (more.isPresent()) {
      waiting = Optional.empty();
    }
    return more;
  }

  /** Nobody wants the rest. */
  @Override
  public void close() {
    Optional<Runnable> more;
    synchronized (this) {
      unread = true;
      pieces.clear();
      current = new byte[0];
      at = 0;
      more = makeRoom(kept);
    }
    more.ifPresent(Runnable::run);
  }
}
