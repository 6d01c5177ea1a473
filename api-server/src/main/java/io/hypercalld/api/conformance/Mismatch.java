package io.hypercalld.api.conformance;

/**
 * A check that did not hold. Immutable.
 *
 * @param place which step, and which part of it
 * @param expected what the recording allows
 * @param got what this silicon did
 */
record Mismatch(String place, String expected, String got) {
  String line() {
    return place + ": expected " + expected + ", got " + got;
  }

  Mismatch at(String outer) {
    return new Mismatch(outer + " " + place, expected, got);
  }
}
