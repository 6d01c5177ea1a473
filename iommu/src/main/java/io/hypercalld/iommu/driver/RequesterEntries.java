package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.PasidEntry;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The context entries of a unit's requesters, and what the unit may remember under them. Confined
 * to the machine thread.
 *
 * @see "VT-d §6.5.3, §9.3; xen/drivers/passthrough/vtd/iommu.c, domain_context_mapping_one"
 */
final class RequesterEntries implements Digestible {
  /** With caching mode, hardware tags entries that were not present with domain-id 0. */
  private static final int ABSENT_ENTRY_DID = 0;

  /** What of the unit it depends on. */
  record Unit(Capabilities capabilities, AddressWidth width, GlobalCommands commands) {}

  private final Unit unit;
  private final RequesterTables tables;
  private final UnitDomainIds domainIds;
  private final Invalidations invalidations;
  private boolean deviceTlbs;

  RequesterEntries(
      Unit unit, RequesterTables tables, UnitDomainIds domainIds, Invalidations invalidations) {
    this.unit = unit;
    this.tables = tables;
    this.domainIds = domainIds;
    this.invalidations = invalidations;
  }

  /**
   * Makes a requester's DMA go through address spaces, by one swap of its context entry: every
   * request sees the old mapping or the new one, and when this returns only the new one.
   *
   * @throws Refusal EBUSY no domain-id is free; ENOMEM no frame for a table; EOPNOTSUPP PASIDs or
   *     first-level tables on a unit without, or requests are to pass untranslated and the unit
   *     cannot; EIO the unit does not forget the old entry, or one of a domain that had the number
   *     of a tag before
   */
  void attach(Transaction steps, SourceId requester, Reach reach) {
    SortedMap<Integer, PasidEntry> spaces = new TreeMap<>();
    reach.spaces().forEach((pasid, space) -> spaces.put(pasid, entry(steps, space)));
    tables.provideTable(steps, requester);
    boolean deviceTlb = deviceTlbs && reach.deviceTlb() && unit.capabilities().deviceTlbs();
    swap(
        steps,
        requester,
        new RequesterEntry(deviceTlb, reach.pasids(), reach.requestPasid(), spaces));
  }

  private PasidEntry entry(Transaction steps, AddressSpace space) {
    int did = claim(steps, space.tag());
    return space.root().map(root -> walking(space, root, did)).orElseGet(() -> passing(did));
  }

  /**
   * Reserves the tag's domain-id, once the unit has forgotten whoever had the tag before.
   *
   * @throws Refusal EBUSY, of 2009 EFAULT: every domain-id is in use; EIO the unit does not forget
   */
  int claim(Transaction steps, DomainId tag) {
    domainIds.heldByPredecessor(tag).forEach(this::forgetAgain);
    return domainIds.claim(steps, tag);
  }

  private PasidEntry walking(AddressSpace space, AddressSpace.Root from, int did) {
    AddressWidth walked = widthFor(space.levels());
    long root = from.forLevels(walked.levels());
    return space
        .firstLevel()
        .map(first -> PasidEntry.nested(first, root, walked, did))
        .orElseGet(() -> PasidEntry.secondLevel(root, walked, did));
  }

  private PasidEntry passing(int did) {
    if (!unit.capabilities().passThrough()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "a unit cannot let requests pass untranslated");
    }
    return PasidEntry.passingThrough(did).naming(unit.width());
  }

  /** Whether devices that are attached from now on may use ATS, where the unit can. */
  void allowDeviceTlbs(boolean allowed) {
    deviceTlbs = allowed;
  }

  /** The width of a table's levels, or the widest that the unit can walk. */
  private AddressWidth widthFor(int levels) {
    AddressWidth whole = AddressWidth.ofLevels(levels);
    return unit.capabilities().supports(whole) ? whole : unit.width();
  }

  /**
   * Makes every request of a requester fault: its context entry becomes not present, and again what
   * it was should a later step fail.
   *
   * @throws Refusal EIO the unit does not forget the old entry
   */
  void detach(Transaction steps, SourceId requester) {
    if (tables.words(requester).isPresent()) {
      swap(steps, requester, RequesterEntry.ABSENT);
    } else {
      forgetAgain(requester);
    }
  }

  /**
   * As {@link #detach(Transaction, SourceId)}, for good: refused, the entry is gone all the same,
   * and the tables below it stay, which the unit may go on using.
   */
  void detach(SourceId requester) {
    ContextEntry before = tables.words(requester);
    if (before.isPresent()) {
      replace(requester, ContextEntry.ABSENT);
      tables.release(before);
    } else {
      forgetAgain(requester);
    }
  }

  private void swap(Transaction steps, SourceId requester, RequesterEntry after) {
    ContextEntry before = tables.words(requester);
    if (tables.decode(before).equals(after)) {
      forgetAgain(requester);
      return;
    }
    ContextEntry built = tables.build(after);
    steps.onFailure(() -> tables.release(built));
    steps.onFailure(() -> restore(requester, before));
    replace(requester, built);
    steps.onSuccess(() -> tables.release(before));
  }

  /** Where the unit does not obey even now, it is left with nothing to find in memory. */
  private void restore(SourceId requester, ContextEntry before) {
    try {
      replace(requester, before);
    } catch (Refusal disobedience) {
      tables.replace(requester, ContextEntry.ABSENT);
    }
  }

  private void replace(SourceId requester, ContextEntry after) {
    RequesterEntry before = tables.decode(tables.words(requester));
    tables.replace(requester, after);
    before.leftBehind(tables.decode(after)).forEach(did -> domainIds.unforgotten(requester, did));
    if (!before.isPresent() || tables.isScalable()) {
      showWhatWasAbsent(requester);
    }
    forgetAgain(requester);
  }

  private void showWhatWasAbsent(SourceId requester) {
    if (unit.capabilities().cachingMode()) {
      domainIds.unforgotten(requester, ABSENT_ENTRY_DID);
    } else {
      unit.commands().flushWriteBuffer(unit.capabilities());
    }
  }

  /**
   * Drops what the unit remembers under entries that are gone. With their OLD domain-ids, since
   * those are the tags; from the top down, since a walk through a stale entry would refill what
   * lies below.
   */
  private void forgetAgain(SourceId requester) {
    for (int did : domainIds.unforgotten(requester)) {
      invalidations.contextDevice(did, requester);
      if (tables.isScalable()) {
        invalidations.queued(InvalidationDescriptor.domainPasids(did));
      }
      invalidations.iotlbDomain(did);
    }
    domainIds.forgotten(requester);
  }

  /**
   * Whether a requester's device may remember translations by itself: its entry lets it use ATS.
   */
  boolean mayUseDeviceTlb(SourceId requester) {
    return tables.decode(tables.words(requester)).deviceTlb();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(deviceTlbs);
  }
}
