package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mGeometry;
import io.hypercalld.core.p2m.P2mType;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** A domain's event rings. Confined to the machine thread. */
public final class VmEvents implements Digestible {
  private final Map<VmEventRing.Kind, VmEventRing> rings = new EnumMap<>(VmEventRing.Kind.class);
  private final HvmParams params = new HvmParams();
  private final Domain domain;
  private long last;

  VmEvents(Domain domain) {
    this.domain = domain;
    for (VmEventRing.Kind kind : VmEventRing.Kind.values()) {
      rings.put(kind, new VmEventRing(domain, kind));
    }
  }

  /** The domain's parameters, which name the rings' pages. */
  public HvmParams params() {
    return params;
  }

  public VmEventRing ring(VmEventRing.Kind kind) {
    VmEventRing ring = rings.get(kind);
    if (ring == null) {
      throw new IllegalStateException("no ring " + kind);
    }
    return ring;
  }

  /**
   * Lets somebody listen to a ring.
   *
   * @throws Refusal as {@link VmEventRing#enable}; of the paging ring, first: ENODEV without
   *     hardware-assisted paging; EMLINK with an IOMMU, unless {@link DevicePaging} allows that;
   *     EXDEV while memory is to be populated on demand
   */
  /*
   * Xen also refuses a pager (EOPNOTSUPP) where the hardware domain is HVM, as dom0 is here: it
   * could not cope with the pager's own foreign mappings of paged frames. Those hold references
   * here, which keep a frame from being nominated, so there is nothing left to refuse.
   */
  public void enable(VmEventRing.Kind kind) {
    if (kind != VmEventRing.Kind.MONITOR && !domain.settings().hasHap()) {
      throw Refusal.of(Errno.ENODEV, "%s has no hardware-assisted paging", domain.id());
    }
    if (kind == VmEventRing.Kind.PAGING) {
      requirePageable();
    }
    ring(kind).enable(params.get(kind.parameter()));
  }

  private void requirePageable() {
    if (domain.p2m().settings().geometry() != P2mGeometry.GRANULE_4K) {
      throw Refusal.of(Errno.ENODEV, "the P2M of %s has no pages of 4 KiB", domain.id());
    }
    if (domain.settings().hasIommu() && domain.settings().devicePaging() == DevicePaging.REFUSE) {
      throw Refusal.of(Errno.EMLINK, "devices may reach the memory of %s", domain.id());
    }
    if (domain.features().populateOnDemand().isActive()) {
      throw Refusal.of(Errno.EXDEV, "memory of %s is to be populated on demand", domain.id());
    }
  }

  /**
   * Nobody is to listen to a ring any more.
   *
   * @throws Refusal EINVAL where nobody does
   */
  public void disable(VmEventRing.Kind kind) {
    if (!ring(kind).isEnabled()) {
      throw Refusal.of(Errno.EINVAL, "nobody listens to the %s ring of %s", kind, domain.id());
    }
    ring(kind).disable();
  }

  /** Events of all rings without an answer yet, oldest first. */
  public List<VmEvent> waiting() {
    return rings.values().stream()
        .flatMap(ring -> ring.waiting().stream())
        .sorted(Comparator.comparingLong(VmEvent::id))
        .toList();
  }

  /** What an event is about. */
  record Subject(Gfn gfn, int offset, P2mType type, List<VmEvent.Flag> flags) {}

  /** Puts an event in a ring that has room, for a vCPU that waits. */
  void tellAndPause(VmEventRing.Kind kind, int vcpu, Subject subject) {
    put(kind, vcpu, true, subject);
  }

  /** Puts an event in a ring, unless nobody listens or the ring is full: then it is lost. */
  void tell(VmEventRing.Kind kind, int vcpu, Subject subject) {
    if (ring(kind).isEnabled() && ring(kind).hasRoom()) {
      put(kind, vcpu, false, subject);
    }
  }

  private void put(VmEventRing.Kind kind, int vcpu, boolean paused, Subject subject) {
    last++;
    ring(kind)
        .put(
            new VmEvent(
                last,
                kind,
                vcpu,
                paused,
                subject.gfn,
                subject.offset,
                subject.type,
                subject.flags));
  }

  /**
   * Somebody answered an event: its vCPU goes on, and a page that came back is the guest's again.
   *
   * @param drop whether a paged page is to stay as it is
   * @throws Refusal ENOENT where no such event waits
   */
  public void answer(long id, boolean drop) {
    for (VmEventRing ring : rings.values()) {
      for (VmEvent event : ring.answered(id).stream().toList()) {
        if (event.ring() == VmEventRing.Kind.PAGING && !drop) {
          domain.features().paging().resume(event.gfn());
        }
        return;
      }
    }
    throw Refusal.of(Errno.ENOENT, "no event %d of %s waits for an answer", id, domain.id());
  }

  /** Nobody listens to a domain that is dying. */
  void disableAll() {
    rings.values().forEach(VmEventRing::disable);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("vm-events").put(last).put(params);
    rings.values().forEach(digest::put);
  }
}
