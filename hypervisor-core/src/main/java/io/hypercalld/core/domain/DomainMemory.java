package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PagingPool;
import io.hypercalld.core.transaction.Transaction;
import java.util.Optional;

/**
 * The frames that a domain has and the tables that map them. Confined to the machine thread.
 *
 * <p>Made with the domain and taken apart in steps while it dies.
 */
public final class DomainMemory implements Digestible {
  /** Most P2M tables freed between two continuations. */
  private static final int TABLES_PER_STEP = 64;

  private final FrameTable frames;
  private final Reservation reservation;
  private final SpecialPages specialPages;
  private final Mfn sharedInfo;
  private final GrantTable grantTable;
  private final GrantMappings grantMappings;
  private final Optional<Paging> paging;
  private final Optional<PhysicalMap> physicalMap;

  /**
   * What a domain begins with, of which its id and settings are known.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM; the steps take back what was allocated
   */
  DomainMemory(Domain domain, FrameAllocator allocator, DomainTable domains, Transaction steps) {
    DomainId id = domain.id();
    DomainSettings settings = domain.settings();
    this.frames = allocator.frames();
    this.reservation = new Reservation(allocator, id.value());
    this.specialPages = new SpecialPages(allocator, id.value());
    steps.onFailure(specialPages::releaseAll);
    this.sharedInfo = specialPages.allocate();
    this.grantTable = new GrantTable(allocator.memory(), specialPages, settings.grant());
    this.grantMappings = new GrantMappings(domain, frames, domains, settings.grant());
    if (!settings.type().isTranslated()) {
      this.paging = Optional.empty();
      this.physicalMap = Optional.empty();
      return;
    }
    Paging own = new Paging(allocator, id, settings, domains.host());
    steps.onFailure(
        () -> {
          own.relinquish(Integer.MAX_VALUE);
          own.free();
        });
    this.paging = Optional.of(own);
    this.physicalMap = Optional.of(new PhysicalMap(domain, own.p2m(), frames, domains));
  }

  Reservation reservation() {
    return reservation;
  }

  /** The pages that the hypervisor made for it. */
  public SpecialPages specialPages() {
    return specialPages;
  }

  /** The page that it shares with the hypervisor. */
  public Mfn sharedInfo() {
    return sharedInfo;
  }

  /** What it grants to others. */
  public GrantTable grantTable() {
    return grantTable;
  }

  /** What it has mapped of others' grants. */
  public GrantMappings grantMappings() {
    return grantMappings;
  }

  Optional<Paging> paging() {
    return paging;
  }

  /** The pool of its P2M's tables, unless it is PV. */
  public Optional<PagingPool> pagingPool() {
    return paging.map(Paging::pool);
  }

  Optional<PhysicalMap> physicalMap() {
    return physicalMap;
  }

  /** Adds the stages in which it is given back, once nothing else refers to it. */
  void relinquishBy(Relinquishment stages) {
    physicalMap.ifPresent(map -> stages.then(map.foreign()::relinquish));
    paging.ifPresent(own -> stages.then(() -> own.relinquish(TABLES_PER_STEP)));
    stages.then(
        () -> {
          grantTable.close();
          specialPages.releaseAll();
          return true;
        });
    stages.then(reservation::relinquish);
  }

  /** Whether others refer to any of it. */
  boolean isHeld() {
    return reservation.totalPages() > 0 || specialPages.count() > 0;
  }

  /** Frees a frame of it to which nobody refers any more. */
  void freed(Mfn frame) {
    if (frames.use(frame.value()) == FrameUse.SPECIAL) {
      specialPages.freed(frame);
    } else {
      reservation.free(new FrameRun(frame.value(), 1));
    }
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .section("memory")
        .put(sharedInfo.value())
        .put(reservation)
        .put(specialPages)
        .put(grantTable)
        .put(grantMappings);
    paging.ifPresent(digest::put);
  }
}
