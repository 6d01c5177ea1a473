package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.AddToPhysmap;
import io.hypercalld.core.hypercall.MemoryCalls;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.Targets;

/**
 * The dm_op operation that moves guest memory. Confined to the machine thread.
 *
 * <p>Xen moves by the lowest 16 bits of the size at a time and so does nothing for a multiple of
 * 65,536; here all of it is moved.
 *
 * @see "xen/arch/x86/hvm/dm.c, XEN_DMOP_relocate_memory"
 */
public final class RelocationCalls {
  private static final int GMFN_RANGE = 3;

  private final DomainTable domains;
  private final Targets targets;
  private final MemoryCalls memory;

  public RelocationCalls(DomainTable domains, MemoryCalls memory) {
    this.domains = domains;
    this.targets = new Targets(domains);
    this.memory = memory;
  }

  public Outcome relocate(DomainId caller, RelocateMemory args) {
    targets.modelled(domains.caller(caller), args.domid());
    if (args.pad() != 0) {
      throw Refusal.of(Errno.EINVAL, "pad is %d", args.pad());
    }
    if (args.size() > Integer.MAX_VALUE) {
      throw Refusal.of(Errno.EINVAL, "%d guest frames are more than there can be", args.size());
    }
    return memory.addToPhysmap(
        caller,
        new AddToPhysmap(
            args.domid(),
            (int) args.size(),
            GMFN_RANGE,
            new Word(args.srcGfn().value()),
            args.dstGfn()));
  }
}
