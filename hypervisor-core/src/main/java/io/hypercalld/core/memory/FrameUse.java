package io.hypercalld.core.memory;

/** What a frame of RAM is used for. */
public enum FrameUse {
  /** Nobody's: the allocator may hand it out. Its record is all zeros. */
  FREE,
  /** Kept by firmware; never handed out. */
  FIRMWARE,
  /** The hypervisor's own. */
  HYPERVISOR,
  /** A domain's memory, counted against its reservation. */
  GUEST_RAM,
  /** A page of the hypervisor's that a domain may map: shared_info, grant frames, ioreq pages. */
  SPECIAL,
  /** A page of a domain's paging pool: a P2M table, or free for one. */
  P2M_TABLE,
  /** A second-stage table of a remapping unit. */
  DMA_TABLE,
  /** A remapping unit's root table. */
  ROOT_TABLE,
  /** A remapping unit's context table. */
  CONTEXT_TABLE,
  /** A remapping unit's invalidation queue, or the status words it writes. */
  INVALIDATION_QUEUE,
  /** A remapping unit's interrupt remapping table. */
  INTERRUPT_TABLE,
  /** A remapping unit's PASID directory or PASID table. */
  PASID_TABLE
}
