package io.hypercalld.core.domain;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameType;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mType;

/**
 * A page of a guest's memory in which the hypervisor keeps a ring or the like: held until it is
 * released, whatever becomes of the guest frame. Confined to the machine thread.
 *
 * @see "xen/arch/x86/hvm/hvm.c, prepare_ring_for_helper"
 */
public final class RingPage {
  private final Domain domain;
  private final FrameTable frames;
  private final Mfn mfn;

  private RingPage(Domain domain, FrameTable frames, Mfn mfn) {
    this.domain = domain;
    this.frames = frames;
    this.mfn = mfn;
  }

  /**
   * Holds the page at a guest frame.
   *
   * @throws Refusal ENOENT it is paged out or shared; EPERM a device's; EINVAL there is no page of
   *     the domain's, or none to be written
   */
  static RingPage take(Domain domain, FrameTable frames, Gfn gfn) {
    P2mLookup found = domain.physicalMap().orElseThrow().obtainUnshared(gfn);
    if (P2mType.PAGING.contains(found.type()) || found.type() == P2mType.RAM_SHARED) {
      throw Refusal.of(Errno.ENOENT, "guest frame %s is %s", gfn, found.type());
    }
    if (found.type() == P2mType.MMIO_DIRECT) {
      throw Refusal.of(Errno.EPERM, "guest frame %s is a device's", gfn);
    }
    long frame = found.mfn().value();
    boolean ram = P2mType.RAM.contains(found.type()) && frames.contains(frame);
    if (!ram || !frames.takeReference(frame, domain.id().value())) {
      throw Refusal.of(Errno.EINVAL, "guest frame %s is no page of %s", gfn, domain.id());
    }
    if (!frames.takeTypeReference(frame, FrameType.WRITABLE)) {
      frames.putReference(frame);
      throw Refusal.of(Errno.EINVAL, "guest frame %s cannot be written", gfn);
    }
    return new RingPage(domain, frames, found.mfn());
  }

  public Mfn mfn() {
    return mfn;
  }

  /** Takes it out of the guest's sight; a guest that has moved it meanwhile is crashed. */
  public void hideAt(Gfn gfn) {
    if (domain.p2m().lookup(gfn).mfn().equals(mfn)) {
      domain.physicalMap().orElseThrow().remove(gfn);
    } else {
      domain.crash("guest frame %s is not the page that was lent any more".formatted(gfn));
    }
  }

  /** Maps it again where the guest had it; a guest that leaves no place for it is crashed. */
  public void showAt(Gfn gfn) {
    try {
      domain.physicalMap().orElseThrow().populate(gfn, mfn, 1);
    } catch (Refusal refusal) {
      domain.crash("the page that was lent cannot be mapped: %s".formatted(refusal.reason()));
    }
  }

  /** Holds it no more. */
  public void release() {
    frames.putTypeReference(mfn.value());
    if (frames.putReference(mfn.value()) == 0) {
      domain.memory().freed(mfn);
    }
  }
}
