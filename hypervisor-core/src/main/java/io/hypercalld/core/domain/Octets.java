package io.hypercalld.core.domain;

import java.util.AbstractList;
import java.util.RandomAccess;

/** Bytes as a list of the numbers 0 to 255. Immutable. */
public final class Octets extends AbstractList<Integer> implements RandomAccess {
  private final byte[] bytes;

  /** Takes the bytes over: nobody may change them any more. */
  public Octets(byte[] bytes) {
    this.bytes = bytes;
  }

  @Override
  public Integer get(int index) {
    return Byte.toUnsignedInt(bytes[index]);
  }

  @Override
  public int size() {
    return bytes.length;
  }
}
