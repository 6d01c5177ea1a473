package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import java.util.List;

/**
 * The pages of ioreq servers where there are no servers: their number is known, and none is found.
 * Immutable.
 *
 * @see "xen/common/ioreq.c, ioreq_server_max_frames"
 */
public final class IoreqResource implements ResourceProvider {
  /** {@code sizeof(ioreq_t)}. */
  private static final int REQUEST_BYTES = 32;

  private static final long MAX_ID = 0xffff;

  @Override
  public long size(Domain domain, long id) {
    return frames(domain);
  }

  /** Pages that a server of the domain's has, whether there is one or not. */
  public static long frames(Domain domain) {
    int slots = domain.settings().maxVcpus() * REQUEST_BYTES;
    // One page of buffered requests, and as many as the vCPUs' slots need.
    return domain.type().isTranslated() ? 1 + Math.ceilDiv(slots, PageSize.BYTES_4K) : 0;
  }

  /**
   * Refuses an id that no server can have.
   *
   * @throws Refusal EINVAL
   */
  public static void requireId(Frames frames) {
    if (Long.compareUnsigned(frames.id(), MAX_ID) > 0) {
      throw Refusal.of(Errno.EINVAL, "no ioreq server has an id of 0x%x", frames.id());
    }
  }

  @Override
  public List<Mfn> acquire(Domain caller, Domain domain, Frames frames) {
    requireId(frames);
    throw Refusal.of(Errno.ENOENT, "%s has no ioreq server %d", domain.id(), frames.id());
  }
}
