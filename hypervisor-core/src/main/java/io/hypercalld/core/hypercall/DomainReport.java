package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFlag;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainSettings.Platform;
import io.hypercalld.core.domain.DomainState;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.P2mTable;
import java.util.UUID;

/**
 * What {@link QueryDomain} returns: {@code xen_domctl_getdomaininfo}. Immutable.
 *
 * @param flags {@code XEN_DOMINF_*}; bits 16 to 23 hold the shutdown code
 * @param totPages frames charged
 * @param maxPages frames that may be charged
 * @param outstandingPages frames claimed and not yet charged
 * @param shrPages frames shared with other domains
 * @param pagedPages frames paged out
 * @param sharedInfoFrame guest frame of the page shared with the hypervisor; all ones where it is
 *     not mapped
 * @param cpuTime nanoseconds; no time passes here
 * @param nrOnlineVcpus vCPUs started
 * @param maxVcpuId highest number of a vCPU; all ones where there is none
 * @see "xen/include/public/domctl.h"
 */
public record DomainReport(
    DomainId domain,
    Word flags,
    long totPages,
    long maxPages,
    long outstandingPages,
    long shrPages,
    long pagedPages,
    Word sharedInfoFrame,
    long cpuTime,
    int nrOnlineVcpus,
    Word maxVcpuId,
    long ssidref,
    UUID handle,
    long cpupool,
    int gpaddrBits,
    ArchConfig archConfig) {
  private static final long DYING = 0x1;
  private static final long HVM = 0x2;
  private static final long SHUTDOWN = 0x4;
  private static final long PAUSED = 0x8;
  private static final long RUNNING = 0x20;
  private static final long DEBUGGED = 0x40;
  private static final long XS_DOMAIN = 0x80;
  private static final long HAP = 0x100;
  private static final int SHUTDOWN_CODE_SHIFT = 16;

  /** A 32-bit field that holds no number. */
  private static final long NONE = 0xffff_ffffL;

  /** The part of {@code xen_arch_domainconfig} that is reported. */
  public record ArchConfig(Word emulationFlags, Word miscFlags) {}

  static DomainReport of(Domain domain, FrameTable frames) {
    Platform platform = domain.settings().platform();
    return new DomainReport(
        domain.id(),
        new Word(flags(domain)),
        domain.reservation().totalPages(),
        domain.reservation().maxPages(),
        domain.reservation().claimed(),
        domain.type().isTranslated() ? domain.features().sharing().sharedPages() : 0,
        domain.type().isTranslated() ? domain.features().paging().pagedPages() : 0,
        new Word(sharedInfoFrame(domain, frames)),
        0,
        domain.run().onlineVcpus(),
        new Word(domain.run().vcpus() == 0 ? NONE : domain.run().vcpus() - 1),
        domain.settings().ssidref(),
        domain.notes().handle(),
        0,
        P2mTable.GFN_BITS + PageSize.SHIFT_4K,
        new ArchConfig(new Word(platform.emulationFlags()), new Word(platform.miscFlags())));
  }

  private static long flags(Domain domain) {
    // A domain that has not shut down has the code ~0, of which 16 bits remain in the field.
    long code = domain.run().isShutDown() ? domain.run().shutdownCode() : NONE;
    return flag(domain.state() == DomainState.DEAD, DYING)
        | flag(domain.type().isTranslated(), HVM)
        | flag(domain.run().isShutDown(), SHUTDOWN)
        | flag(domain.run().isPausedByController(), PAUSED)
        | flag(domain.isRunning(), RUNNING)
        | flag(domain.notes().isDebugged(), DEBUGGED)
        | flag(domain.settings().has(DomainFlag.XS_DOMAIN), XS_DOMAIN)
        | flag(domain.settings().hasHap(), HAP)
        | ((code << SHUTDOWN_CODE_SHIFT) & NONE);
  }

  private static long flag(boolean set, long mask) {
    return set ? mask : 0;
  }

  private static long sharedInfoFrame(Domain domain, FrameTable frames) {
    // Once the page is freed it belongs to nobody, or to somebody else.
    Mfn page = domain.memory().sharedInfo();
    return frames.owner(page.value()) == domain.id().value()
        ? frames.m2p(page.value())
        : FrameTable.INVALID_M2P;
  }
}
