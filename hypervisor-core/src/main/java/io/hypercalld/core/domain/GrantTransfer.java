package io.hypercalld.core.domain;

import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.p2m.SyncHook;
import java.util.Optional;

/**
 * Makes a domain's page that of another domain, which awaits it. Confined to the machine thread.
 *
 * @see "xen/common/grant_table.c, gnttab_transfer"
 */
public final class GrantTransfer {
  private final DomainTable domains;
  private final FrameTable frames;

  public GrantTransfer(DomainTable domains, FrameTable frames) {
    this.domains = domains;
    this.frames = frames;
  }

  /**
   * What is to be handed over.
   *
   * @param frame of the giver's; a guest frame where it is translated
   * @param ref entry of the receiver's that awaits it
   */
  public record Offer(long frame, DomainId receiver, long ref) {}

  /**
   * Hands a page over. Once it has been taken from the giver it is freed where the receiver cannot
   * have it, as in Xen.
   *
   * @param stealable whether a frame can be taken from the giver although it is translated
   */
  public GrantStatus transfer(Domain giver, Offer offer, boolean stealable) {
    if (giver.physicalMap().isEmpty()) {
      return transfer(giver, offer, new Mfn(offer.frame));
    }
    PhysicalMap map = giver.physicalMap().get();
    P2mLookup found = map.obtainUnshared(new Gfn(offer.frame));
    if (!found.mfn().isValid() || found.type() == P2mType.RAM_SHARED) {
      return GrantStatus.BAD_PAGE;
    }
    return stealable && map.granule() == 1 && map.isOwn(found)
        ? transfer(giver, offer, found.mfn())
        : GrantStatus.GENERAL_ERROR;
  }

  private GrantStatus transfer(Domain giver, Offer offer, Mfn frame) {
    long mfn = frame.value();
    if (!frames.contains(mfn)
        || !giver.reservation().owns(mfn)
        || frames.references(mfn) != 1
        || frames.typeReferences(mfn) != 0) {
      return GrantStatus.BAD_PAGE;
    }
    take(giver, offer, frame);
    GrantStatus status = judge(giver, offer);
    if (status == GrantStatus.OKAY) {
      hand(giver, domains.byId(offer.receiver), offer, frame);
    } else {
      giver.reservation().release(mfn);
    }
    return status;
  }

  /** From here on the giver neither maps the frame nor do its devices. */
  private static void take(Domain giver, Offer offer, Mfn frame) {
    giver
        .physicalMap()
        .ifPresentOrElse(
            map -> map.remove(new Gfn(offer.frame)),
            () -> giver.facets().losing(new FrameRun(frame.value(), 1), SyncHook.EXCHANGE));
  }

  private GrantStatus judge(Domain giver, Offer offer) {
    Optional<Domain> receiver = domains.find(offer.receiver);
    if (receiver.isEmpty()) {
      return GrantStatus.BAD_DOMAIN;
    }
    Reservation reservation = receiver.get().reservation();
    GrantTable table = receiver.get().memory().grantTable();
    boolean room = !receiver.get().isDying() && reservation.totalPages() < reservation.maxPages();
    boolean awaited =
        Long.compareUnsigned(offer.ref, table.entries()) < 0
            && GrantEntry.acceptsFrom(table.contents().header((int) offer.ref), giver.id());
    return room && awaited ? GrantStatus.OKAY : GrantStatus.GENERAL_ERROR;
  }

  private void hand(Domain giver, Domain receiver, Offer offer, Mfn mfn) {
    GrantEntries entries = receiver.memory().grantTable().contents();
    int ref = (int) offer.ref;
    giver.reservation().disown(mfn.value());
    frames.clearM2p(mfn.value(), 0);
    frames.transfer(mfn.value(), receiver.id().value());
    receiver.reservation().adopt(mfn.value());
    place(receiver, mfn, entries.frame(ref));
    if (receiver.physicalMap().isEmpty()) {
      entries.writeFrame(ref, mfn.value());
    }
    long header = GrantEntry.TRANSFER_COMMITTED.set(entries.header(ref));
    entries.writeHeader(ref, GrantEntry.TRANSFER_COMPLETED.set(header));
  }

  private void place(Domain receiver, Mfn mfn, long gfn) {
    Optional<PhysicalMap> map = receiver.physicalMap();
    if (map.isEmpty()) {
      frames.setM2p(mfn.value(), 0, gfn);
      receiver.facets().gained(new FrameRun(mfn.value(), 1), SyncHook.PHYSMAP_ADD);
      return;
    }
    try {
      map.get().populate(new Gfn(gfn), mfn, 1);
    } catch (Refusal _) {
      // The page is the receiver's all the same, mapped nowhere; nobody is told.
    }
  }
}
