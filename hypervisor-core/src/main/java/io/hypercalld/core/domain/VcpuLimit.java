package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.Optional;

/**
 * How many vCPUs an HVM or PVH domain may have on this machine: {@code HVM_MAX_VCPUS} as a
 * parameter. Confined to the machine thread.
 *
 * <p>A domain with more than 4094 has no event channel ports left for an ioreq server, whose vCPUs
 * need one each.
 *
 * @see "spec/documents.md S1-D14"
 */
public final class VcpuLimit implements Digestible {
  /** What {@code createdomain} of today's Xen lets through. */
  public static final int OF_THE_HYPERCALL = 128;

  /** What the series for more than 255 vCPUs let through in the end. */
  public static final int OF_THE_SERIES = 288;

  /** The largest limit. */
  public static final int MOST = 4096;

  private Optional<Integer> chosen = Optional.empty();

  /**
   * Has both limits be this one from now on; domains that are there keep their vCPUs.
   *
   * @throws Refusal EINVAL less than 1 or more than {@link #MOST}
   */
  public void choose(int limit) {
    require(limit);
    chosen = Optional.of(limit);
  }

  /**
   * Refuses what {@link #choose} would.
   *
   * @throws Refusal EINVAL
   */
  public static void require(int limit) {
    if (limit < 1 || limit > MOST) {
      throw Refusal.of(Errno.EINVAL, "no limit of vCPUs is %d: from 1 to %d", limit, MOST);
    }
  }

  /** For domains that the bare hypercall makes. */
  public int ofHypercalls() {
    return chosen.orElse(OF_THE_HYPERCALL);
  }

  /** For domains that are made with their policies. */
  public int ofPolicies() {
    return chosen.orElse(OF_THE_SERIES);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("vcpu-limit").put(chosen.orElse(0));
  }
}
