package io.hypercalld.api.conformance;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.LongPredicate;
import java.util.stream.LongStream;

/**
 * Memory as the recorded machine has it: this machine's, but for the bytes that only one of the two
 * has written. Confined to the thread that runs the case.
 */
final class RecordedMemory {
  private final CaptureHost host;

  /** Bytes that differ, by address. */
  private final Map<Long, Byte> theirs = new HashMap<>();

  /** Addresses of bytes of which nobody knows what the recorded machine has. */
  private final Set<Long> unknown = new HashSet<>();

  RecordedMemory(CaptureHost host) {
    this.host = host;
  }

  /** Bytes as the recorded machine has them; those that nobody knows as this machine has them. */
  byte[] read(long maddr, int length) {
    byte[] bytes = host.bytes(maddr, length);
    if (!theirs.isEmpty()) {
      for (int index = 0; index < length; index++) {
        bytes[index] = theirs.getOrDefault(maddr + index, bytes[index]);
      }
    }
    return bytes;
  }

  long word(long maddr) {
    return Bytes.word(read(maddr, Long.BYTES));
  }

  /** Whether both machines are known to have the same bytes. */
  boolean isShared(long maddr, int length) {
    return isKnown(maddr, length) && (theirs.isEmpty() || none(maddr, length, theirs::containsKey));
  }

  boolean isKnown(long maddr, int length) {
    return unknown.isEmpty() || none(maddr, length, unknown::contains);
  }

  private static boolean none(long maddr, int length, LongPredicate condition) {
    return LongStream.range(maddr, maddr + length).noneMatch(condition);
  }

  /** The recorded machine has these bytes, whatever this machine has there now. */
  void has(long maddr, byte[] bytes) {
    byte[] ours = host.bytes(maddr, bytes.length);
    isAsHere(maddr, bytes.length);
    for (int index = 0; index < bytes.length; index++) {
      if (ours[index] != bytes[index]) {
        theirs.put(maddr + index, bytes[index]);
      }
    }
  }

  /** Both machines have what this one has. */
  void isAsHere(long maddr, long length) {
    theirs.keySet().removeIf(at -> at >= maddr && at < maddr + length);
    unknown.removeIf(at -> at >= maddr && at < maddr + length);
  }

  /** What the recorded machine has there cannot be told. */
  void forget(long maddr, int length) {
    isAsHere(maddr, length);
    LongStream.range(maddr, maddr + length).forEach(unknown::add);
  }
}
