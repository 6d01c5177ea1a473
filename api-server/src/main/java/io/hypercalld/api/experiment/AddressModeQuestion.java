package io.hypercalld.api.experiment;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.Locale;
import java.util.Optional;

/**
 * What is asked about address modes. Immutable.
 *
 * @param study what is tried
 * @param seed of the bytes that devices bring, and of the sizes of buffers; 1 where left out
 * @param requests scatter lists whose price is counted; 1,000 where left out
 * @param segments pages of each; 11 where left out
 */
public record AddressModeQuestion(
    Study study, Optional<Long> seed, Optional<Integer> requests, Optional<Integer> segments) {
  private static final int MOST_REQUESTS = 10_000;
  private static final int MOST_SEGMENTS = 64;

  /** What can be tried. */
  public enum Study {
    /** Which mode is right for whom (S3-Q1). */
    MATRIX,
    /** What it costs to ask the hypervisor for each access (S3-Q2). */
    HYPERCALLS,
    /** Where a back end stops that was written for another mode (S3-Q3). */
    PORTING,
    /** How much is bounced, and what cannot be (S3-Q4). */
    BOUNCING,
    /** Whether all that devices do has been mapped for them (S3-Q5). */
    INTERCEPTION,
    /** What a driver domain of bad intent can reach (S3-Q6). */
    ISOLATION;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * A question that can be answered.
   *
   * @throws Refusal EINVAL for other than 1 to 10,000 requests of 1 to 64 segments
   */
  public AddressModeQuestion {
    int wanted = requests.orElse(1);
    int pages = segments.orElse(1);
    if (wanted < 1 || wanted > MOST_REQUESTS || pages < 1 || pages > MOST_SEGMENTS) {
      throw Refusal.of(
          Errno.EINVAL, "1 to %d requests of 1 to %d segments", MOST_REQUESTS, MOST_SEGMENTS);
    }
  }
}
