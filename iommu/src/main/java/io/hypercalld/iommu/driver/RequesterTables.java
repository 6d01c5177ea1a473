package io.hypercalld.iommu.driver;

import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.ContextEntry;

/**
 * One unit's tables from the root down to where paging begins, in legacy mode or in scalable mode.
 *
 * <p>A requester's context entry is two words, of which one store makes another; whatever lies
 * below it is built before that, and released when nothing can lead to it any more.
 */
sealed interface RequesterTables permits ContextTables, PasidContexts {
  /** Machine address of the root table. */
  long root();

  /** The value of RTADDR that has the unit use them. */
  long rootPointer();

  /** Whether the unit knows PASIDs, and so remembers their entries. */
  boolean isScalable();

  /**
   * Makes sure that there is a context table for the requester.
   *
   * @throws Refusal ENOMEM no frame is free; nothing changed
   */
  void provideTable(Transaction steps, SourceId requester);

  /** Whether there is a context table for the requester. */
  boolean hasTable(SourceId requester);

  /** Machine address of the requester's context entry, for which there is a table. */
  long address(SourceId requester);

  /** The words of the requester's context entry; zero where there is no table for it. */
  ContextEntry words(SourceId requester);

  /** Replaces the words, by one store; there is a table for the requester. */
  void replace(SourceId requester, ContextEntry words);

  /** What words of a context entry lead to. */
  RequesterEntry decode(ContextEntry words);

  /**
   * Words that lead to this, and the tables that they need.
   *
   * @throws Refusal EOPNOTSUPP the mode cannot express it; ENOMEM; nothing changed
   */
  ContextEntry build(RequesterEntry entry);

  /** Gives back the tables below a context entry's words, which no requester's are any more. */
  void release(ContextEntry words);
}
