package io.hypercalld.core.domain;

import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import java.util.List;
import java.util.Locale;

/**
 * What the hypervisor tells a pager or a monitor of one guest frame. Immutable.
 *
 * @param id tells it from every other event of the domain's
 * @param vcpu whose access it was
 * @param vcpuPaused whether that vCPU waits for the answer
 * @param offset of the access in the page; 0 where it does not matter
 * @param type of the page when it happened
 * @see "xen/include/public/vm_event.h, struct vm_event_st"
 */
public record VmEvent(
    long id,
    VmEventRing.Kind ring,
    int vcpu,
    boolean vcpuPaused,
    Gfn gfn,
    int offset,
    P2mType type,
    List<Flag> flags) {
  public VmEvent {
    flags = List.copyOf(flags);
  }

  /** {@code MEM_ACCESS_*} and {@code MEM_PAGING_*}. */
  public enum Flag {
    /** The access forbids a read. */
    R,
    W,
    X,
    /** The page was not evicted yet and will not be: the pager may forget its copy. */
    EVICT_FAIL;

    /** As Xen's header spells it without the prefix, in lower case: {@code evict_fail}. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
