package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.TranslationType;

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
  private final ContextTables contexts;
  private final UnitDomainIds domainIds;
  private final Invalidations invalidations;
  private boolean deviceTlbs;

  RequesterEntries(
      Unit unit, ContextTables contexts, UnitDomainIds domainIds, Invalidations invalidations) {
    this.unit = unit;
    this.contexts = contexts;
    this.domainIds = domainIds;
    this.invalidations = invalidations;
  }

  /**
   * Makes a requester's DMA go through an address space, by one swap of its context entry: every
   * request sees the old mapping or the new one, and when this returns only the new one.
   *
   * @throws Refusal EBUSY no domain-id is free; ENOMEM no frame for a table; EOPNOTSUPP requests
   *     are to pass untranslated and the unit cannot; EIO the unit does not forget the old entry
   */
  void attach(Transaction steps, SourceId requester, AddressSpace space) {
    int did = domainIds.claim(steps, space.tag());
    ContextEntry entry =
        space.root().map(root -> walking(root, space.levels(), did)).orElseGet(() -> passing(did));
    contexts.provideTable(steps, requester.bus());
    swap(steps, requester, entry);
  }

  private ContextEntry walking(AddressSpace.Root root, int levels, int did) {
    AddressWidth walked = widthFor(levels);
    return ContextEntry.of(translationType(), root.forLevels(walked.levels()), walked, did);
  }

  private ContextEntry passing(int did) {
    if (!unit.capabilities().passThrough()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "a unit cannot let requests pass untranslated");
    }
    return ContextEntry.passingThrough(unit.width(), did);
  }

  private TranslationType translationType() {
    return deviceTlbs && unit.capabilities().deviceTlbs()
        ? TranslationType.SECOND_STAGE_WITH_DEVICE_TLB
        : TranslationType.SECOND_STAGE;
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
    if (contexts.entry(requester).isPresent()) {
      swap(steps, requester, ContextEntry.ABSENT);
    } else {
      forgetAgain(requester);
    }
  }

  /**
   * As {@link #detach(Transaction, SourceId)}, for good: refused, the entry is gone all the same.
   */
  void detach(SourceId requester) {
    if (contexts.entry(requester).isPresent()) {
      replace(requester, ContextEntry.ABSENT);
    } else {
      forgetAgain(requester);
    }
  }

  private void swap(Transaction steps, SourceId requester, ContextEntry after) {
    ContextEntry before = contexts.entry(requester);
    if (before.equals(after)) {
      forgetAgain(requester);
      return;
    }
    steps.onFailure(() -> restore(requester, before));
    replace(requester, after);
  }

  /** Where the unit does not obey even now, it is left with nothing to find in memory. */
  private void restore(SourceId requester, ContextEntry before) {
    try {
      replace(requester, before);
    } catch (Refusal disobedience) {
      contexts.replace(requester, ContextEntry.ABSENT);
    }
  }

  private void replace(SourceId requester, ContextEntry after) {
    ContextEntry before = contexts.entry(requester);
    contexts.replace(requester, after);
    if (before.isPresent()) {
      domainIds.unforgotten(requester, before.domainId());
    } else if (unit.capabilities().cachingMode()) {
      domainIds.unforgotten(requester, ABSENT_ENTRY_DID);
    } else {
      unit.commands().flushWriteBuffer(unit.capabilities());
    }
    forgetAgain(requester);
  }

  /**
   * Drops what the unit remembers under entries that are gone. With their OLD domain-ids, since
   * those are the tags; context before translations, since a walk through the stale entry would
   * refill them.
   */
  private void forgetAgain(SourceId requester) {
    for (int did : domainIds.unforgotten(requester)) {
      invalidations.contextDevice(did, requester);
      invalidations.iotlbDomain(did);
    }
    domainIds.forgotten(requester);
  }

  /** Whether the unit may remember an entry of the requester that is gone. */
  boolean mayRemember(SourceId requester) {
    return !domainIds.unforgotten(requester).isEmpty();
  }

  /**
   * Whether a requester's device may remember translations by itself: its entry lets it use ATS.
   */
  boolean mayUseDeviceTlb(SourceId requester) {
    ContextEntry entry = contexts.entry(requester);
    return unit.capabilities().deviceTlbs()
        && entry.isPresent()
        && entry.translationType() == TranslationType.SECOND_STAGE_WITH_DEVICE_TLB;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(deviceTlbs);
  }
}
