package io.hypercalld.core.dma;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.GrantMappings;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mRun;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import java.util.Optional;

/**
 * Which frames a domain's devices have any business with: its own, and those of others that it has
 * mapped, by grant, as a foreign page or for its devices. What a kernel meant by an address is no
 * part of it. Confined to the machine thread.
 *
 * @see "spec/documents.md CM-7 (b)"
 */
public final class FrameRights {
  private final FrameTable frames;

  public FrameRights(FrameTable frames) {
    this.frames = frames;
  }

  /** The frame as a victim of a domain's device; empty where it is none, or no RAM. */
  public Optional<Victim> victim(Domain by, Mfn mfn, boolean writing) {
    boolean known = !frames.contains(mfn.value()) || isEntitled(by, mfn, writing);
    return known ? Optional.empty() : Optional.of(describe(mfn));
  }

  private boolean isEntitled(Domain by, Mfn mfn, boolean writing) {
    if (frames.owner(mfn.value()) == by.id().value()
        && frames.use(mfn.value()) == FrameUse.GUEST_RAM) {
      return true;
    }
    return mayBeMapped(mfn) && isMapped(by, mfn, writing);
  }

  /** Whoever maps a page of another's holds a reference beside its owner's. */
  private boolean mayBeMapped(Mfn mfn) {
    return switch (frames.use(mfn.value())) {
      case FREE -> false;
      case GUEST_RAM -> frames.references(mfn.value()) > 1 || !frames.isAllocated(mfn.value());
      default -> true;
    };
  }

  private boolean isMapped(Domain by, Mfn mfn, boolean writing) {
    return mapsGrant(by.memory().grantMappings(), mfn, writing)
        || by.facets().referencedFrames().anyMatch(mfn::equals)
        || by.findP2m().filter(p2m -> maps(p2m, mfn, writing)).isPresent();
  }

  private static boolean mapsGrant(GrantMappings grants, Mfn mfn, boolean writing) {
    return grants.all().values().stream()
        .anyMatch(mapping -> grants.frame(mapping).equals(mfn) && !(writing && mapping.readonly()));
  }

  /** Pages of others, and the hypervisor's and the machine's own that it shows the domain. */
  private boolean maps(P2mTable p2m, Mfn mfn, boolean writing) {
    if (p2m.entries(P2mType.MAP_FOREIGN) == 0 && frames.use(mfn.value()) == FrameUse.GUEST_RAM) {
      return false;
    }
    Optional<P2mRun> next = p2m.nextRun(new Gfn(0));
    while (next.isPresent()) {
      P2mRun run = next.get();
      long frames = run.count() << run.order();
      long inside = mfn.value() - run.mfn().value();
      if (run.mfn().isValid() && inside >= 0 && inside < frames) {
        var permission = p2m.storedDma(run.gfn().plus(inside));
        if (writing ? permission.writes() : permission.reads()) {
          return true;
        }
      }
      next = p2m.nextRun(run.gfn().plus(frames));
    }
    return false;
  }

  private Victim describe(Mfn mfn) {
    FrameUse use = frames.use(mfn.value());
    int owner = frames.owner(mfn.value());
    long gfn = frames.m2p(mfn.value());
    Optional<DomainId> whose =
        switch (use) {
          case FREE, FIRMWARE -> Optional.empty();
          default -> Optional.of(owner == FrameTable.NO_OWNER ? DomainId.XEN : new DomainId(owner));
        };
    return new Victim(mfn, whose, gfn < 0 ? Optional.empty() : Optional.of(new Gfn(gfn)), use);
  }
}
