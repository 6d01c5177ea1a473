package io.hypercalld.api.machine;

import io.hypercalld.core.dma.DmaDevice;
import io.hypercalld.core.dma.RemappingCalls;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.GuestCalls;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.hypercall.AllocContext;
import io.hypercalld.iommu.hypercall.FreeContext;
import io.hypercalld.iommu.hypercall.MapPages;
import io.hypercalld.iommu.hypercall.ReattachDevice;
import io.hypercalld.iommu.hypercall.UnmapPages;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The {@code iommu_op} calls of a kernel, which has one context for all its devices. Confined to
 * the machine thread.
 *
 * @see "Linux drivers/iommu/xen-iommu.c as proposed; spec/documents.md S1-D22"
 */
final class ContextCalls implements RemappingCalls {
  private static final long READABLE = 1;
  private static final long WRITEABLE = 2;
  private static final long DEVICES_GO_BACK = 1;

  private final TreeSet<String> attached = new TreeSet<>();
  private final GuestCalls xen;
  private Optional<Integer> context = Optional.empty();

  ContextCalls(GuestCalls xen) {
    this.xen = xen;
  }

  @Override
  public void attach(DmaDevice device) {
    if (!attached.contains(device.name())) {
      int number = context.orElseGet(this::allocate);
      xen.require(new ReattachDevice(number, Sbdf.parse(device.name())));
      attached.add(device.name());
    }
  }

  private int allocate() {
    var made = (AllocContext.Allocated) xen.require(new AllocContext()).out();
    context = Optional.of(made.ctxNo());
    return made.ctxNo();
  }

  @Override
  public void close() {
    context.ifPresent(number -> xen.call(new FreeContext(number, DEVICES_GO_BACK)));
    context = Optional.empty();
    attached.clear();
  }

  private int number() {
    return context.orElseThrow(() -> new IllegalStateException("no device is attached"));
  }

  @Override
  public void map(DmaDevice device, Run run, DmaPermission permission) {
    long flags = (permission.reads() ? READABLE : 0) | (permission.writes() ? WRITEABLE : 0);
    Gfn dfn = new Gfn(run.bus());
    Outcome outcome = xen.call(new MapPages(number(), new Gfn(run.gfn()), dfn, run.pages(), flags));
    if (outcome instanceof Outcome.Refused refused) {
      if (refused.out() instanceof MapPages.Progress(long mapped) && mapped > 0) {
        xen.require(new UnmapPages(number(), dfn, mapped));
      }
      throw Refusal.of(refused.errno(), "%s", refused.detail());
    }
  }

  /** Pages that their domain has lost meanwhile are unmapped already. */
  @Override
  public void unmap(DmaDevice device, Run run) {
    for (long done = 0; done < run.pages(); ) {
      Gfn dfn = new Gfn(run.bus() + done);
      Outcome outcome = xen.call(new UnmapPages(number(), dfn, run.pages() - done));
      if (!(outcome instanceof Outcome.Refused refused)) {
        return;
      }
      if (refused.errno() != Errno.ENOENT
          || !(refused.out() instanceof UnmapPages.Progress(long unmapped))) {
        throw Refusal.of(refused.errno(), "%s", refused.detail());
      }
      done += unmapped + 1;
    }
  }
}
