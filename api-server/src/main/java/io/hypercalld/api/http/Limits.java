package io.hypercalld.api.http;

import java.time.Duration;

/**
 * How much the server takes on, so that nobody can fill its memory or its time. Immutable.
 *
 * @param connections at once; one more takes the place of the one that has waited longest for its
 *     client, or is told so and closed where all are served
 * @param heldBytes of bodies that have arrived and are not yet answered, all connections together,
 *     besides {@link #SMALL_BODY_BYTES} for each of them
 * @param unsentBytes of answers that have not yet gone out, all connections together
 * @param opening what a connection has for the whole header of its first request
 * @param body what a request has for the rest of it
 * @param idle how long a connection may wait between requests
 * @param stalled how long nobody may take anything of an answer
 */
public record Limits(
    int connections,
    long heldBytes,
    long unsentBytes,
    Duration opening,
    Duration body,
    Duration idle,
    Duration stalled) {
  /** What one body may have. */
  public static final int BODY_BYTES = 8 << 20;

  /** What a file may have that is read while it comes. */
  public static final long FILE_BYTES = 1L << 30;

  /** What a body may have however much there is of others. */
  public static final int SMALL_BODY_BYTES = 8 << 10;

  /** What a heap of 512 MiB carries. */
  public static final Limits USUAL =
      new Limits(
          4096,
          32 << 20,
          96 << 20,
          Duration.ofSeconds(10),
          Duration.ofSeconds(30),
          Duration.ofSeconds(120),
          Duration.ofSeconds(30));
}
