package io.hypercalld.api.rest;

import java.security.SecureRandom;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/** Names requests, so that an answer and a log line can be brought together. Thread-safe. */
final class RequestIds {
  private static final int LONGEST = 128;

  private final String boot = Long.toHexString(new SecureRandom().nextLong() >>> 16);
  private final AtomicLong next = new AtomicLong();

  /** The caller's own name for its request, where it has a usable one. */
  String of(Optional<String> given) {
    return given
        .filter(text -> !text.isEmpty() && text.length() <= LONGEST)
        .filter(text -> text.chars().allMatch(letter -> letter > ' ' && letter < 0x7f))
        .orElseGet(() -> boot + "-" + next.incrementAndGet());
  }
}
