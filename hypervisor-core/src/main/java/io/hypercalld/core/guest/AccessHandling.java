package io.hypercalld.core.guest;

import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.MemoryAccess;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mAccess;
import io.hypercalld.core.p2m.P2mEntry;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mType;

/**
 * What a guest's access to a page leads to, as far as the page's entry says.
 *
 * @see "xen/arch/x86/hvm/hvm.c, hvm_hap_nested_page_fault"
 */
public enum AccessHandling {
  /** The entry permits it: the frame is read or written. */
  MEMORY("the entry permits it"),
  /** The page is populated, then it is tried again. */
  POPULATE("the page is populated on demand, then the access is tried again"),
  /** The page is made the domain's own, then it is tried again. */
  UNSHARE("the page is shared: the domain gets one of its own, then the access is tried again"),
  /** The page's access forbids it: the monitor decides. */
  RESTRICTED("the page's access forbids it: the monitor decides"),
  /** Nobody's memory: it is emulated. */
  EMULATE("no memory answers: the access is emulated"),
  /** The guest takes an exception. */
  EXCEPTION("the page shows the domain its P2M and may only be read: the guest takes an exception"),
  /** The instruction completes and the data is dropped. */
  DISCARD("the page may not be written: the data is dropped and the instruction completes"),
  /** The pager is asked for the page and the vCPU waits. */
  PAGE_IN("the page is with the pager, which is asked for it"),
  /** The vCPU tries again until somebody else is done. */
  SPIN("the vCPU tries again until somebody else is done"),
  /** It is noted that the page was written, then it is tried again. */
  LOG_DIRTY("the write is noted and the page not watched any more, then it is tried again"),
  /** Nobody handles it, which ends the domain. */
  CRASH("nobody handles it: the domain crashes");

  private final String note;

  AccessHandling(String note) {
    this.note = note;
  }

  /** The same in words. */
  public String note() {
    return note;
  }

  /** What an access to a guest frame leads to; nothing is changed. */
  static AccessHandling in(Domain domain, Gfn gfn, P2mLookup found, MemoryAccess.Kind kind) {
    AccessHandling handling = of(found, kind);
    return handling == DISCARD && domain.facet(DomainDma.class).shows(gfn) ? EXCEPTION : handling;
  }

  /** What an access leads to as far as the entry says; nothing is changed. */
  public static AccessHandling of(P2mLookup found, MemoryAccess.Kind kind) {
    P2mType type = found.type();
    boolean writes = kind == MemoryAccess.Kind.WRITE;
    if (found.isMapped() && permits(found, kind)) {
      return MEMORY;
    }
    if (type == P2mType.POPULATE_ON_DEMAND) {
      return POPULATE;
    }
    if (writes && type == P2mType.RAM_SHARED) {
      return UNSHARE;
    }
    if (found.mfn().isValid() && !permits(found.access(), kind)) {
      return RESTRICTED;
    }
    boolean data = kind != MemoryAccess.Kind.FETCH;
    return type == P2mType.MMIO_DM || (data && P2mType.IOREQ.contains(type))
        ? EMULATE
        : ofType(type, writes);
  }

  private static AccessHandling ofType(P2mType type, boolean writes) {
    if (writes && (P2mType.DISCARD_WRITE.contains(type) || type == P2mType.MMIO_DIRECT)) {
      return DISCARD;
    }
    if (type == P2mType.RAM_PAGING_OUT || type == P2mType.RAM_PAGED) {
      return PAGE_IN;
    }
    if (writes && type == P2mType.RAM_LOGDIRTY) {
      return LOG_DIRTY;
    }
    return P2mType.RAM.contains(type) ? SPIN : CRASH;
  }

  private static boolean permits(P2mLookup found, MemoryAccess.Kind kind) {
    return permits(found.type(), found.entry(), kind) && permits(found.access(), kind);
  }

  // The stored bits may be older than the type that a look-up reports, except for the types whose
  // permission is not the type's alone.
  private static boolean permits(P2mType type, long entry, MemoryAccess.Kind kind) {
    return switch (kind) {
      case READ -> type.isReadable() && (!P2mType.IOREQ.contains(type) || P2mEntry.R.isSet(entry));
      case WRITE ->
          type.isWritable()
              && ((type != P2mType.MMIO_DIRECT && !P2mType.IOREQ.contains(type))
                  || P2mEntry.W.isSet(entry));
      case FETCH -> type.isExecutable();
    };
  }

  private static boolean permits(P2mAccess access, MemoryAccess.Kind kind) {
    return switch (kind) {
      case READ -> access.isReadable();
      case WRITE -> access.isWritable();
      case FETCH -> access.isExecutable();
    };
  }
}
