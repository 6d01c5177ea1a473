package io.hypercalld.core.digest;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/**
 * Collects a machine's state into one sum. Confined to the machine thread.
 *
 * <p>Values are written in the order of the calls; each part begins with {@link #section}, so that
 * a value cannot be mistaken for its neighbour's.
 */
public final class StateDigest {
  private final MessageDigest sum;
  private final ByteBuffer buffer = ByteBuffer.allocate(8192).order(ByteOrder.LITTLE_ENDIAN);

  /** With SHA-256. */
  public StateDigest() {
    this(sha256());
  }

  /** With another sum, for those who compare states more often than they tell them. */
  public StateDigest(MessageDigest sum) {
    this.sum = sum;
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** Begins a named part of the state. */
  public StateDigest section(String name) {
    return put(name);
  }

  public StateDigest put(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    put(bytes.length);
    flush();
    sum.update(bytes);
    return this;
  }

  public StateDigest put(boolean value) {
    return put(value ? 1L : 0L);
  }

  public StateDigest put(long value) {
    if (buffer.remaining() < Long.BYTES) {
      flush();
    }
    buffer.putLong(value);
    return this;
  }

  /** Raw bytes, from the buffer's position to its limit. */
  public StateDigest put(ByteBuffer bytes) {
    flush();
    sum.update(bytes);
    return this;
  }

  public StateDigest put(Digestible part) {
    part.digest(this);
    return this;
  }

  /**
   * The digest of everything written, as {@code sha256:} and 64 hex digits, or as the other sum has
   * it. Call once.
   */
  public String finish() {
    flush();
    return name() + ":" + HexFormat.of().formatHex(sum.digest());
  }

  private String name() {
    return sum.getAlgorithm().toLowerCase(Locale.ROOT).replace("-", "");
  }

  private void flush() {
    sum.update(buffer.flip());
    buffer.clear();
  }
}
