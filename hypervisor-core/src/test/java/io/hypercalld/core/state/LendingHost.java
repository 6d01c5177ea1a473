package io.hypercalld.core.state;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.AddToPhysmapBatch;
import io.hypercalld.core.hypercall.BatchErrors;
import io.hypercalld.core.hypercall.GrantResult;
import io.hypercalld.core.hypercall.MapGrantRef;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.SetTarget;
import io.hypercalld.core.hypercall.UnmapGrantRef;
import io.hypercalld.core.state.MemoryModel.Slot;
import java.util.List;
import java.util.Optional;

/** How domains come to map each other's pages, in words of its own. */
final class LendingHost {
  private static final int GRANTEE_SHIFT = 16;

  /** {@code GNTST_eagain}. */
  private static final int EAGAIN = -12;

  private static final DomainId DOM0 = DomainId.DOM0;

  private final Hypervisor hypervisor;
  private final RefusedCalls calls;

  LendingHost(Hypervisor hypervisor, RefusedCalls calls) {
    this.hypervisor = hypervisor;
    this.calls = calls;
  }

  /** Has a domain map a page of a guest's. */
  int mapForeign(DomainId id, long gfn, Slot slot) {
    var args =
        new AddToPhysmapBatch(
            slot.mapper(),
            4,
            id.value(),
            SimulatedHost.frames(gfn),
            SimulatedHost.frames(slot.gfn()),
            Optional.empty());
    return calls.watch(
        () ->
            hypervisor.memoryCalls().addToPhysmapBatch(DOM0, args)
                    instanceof Outcome.Success(long _, BatchErrors(List<Integer> errs))
                ? errs.getFirst()
                : 1,
        errno -> errno < 0);
  }

  /** A guest's grant of a page. */
  record Grant(DomainId granter, long gfn, long ref, boolean readonly) {}

  /** What mapping one came to. */
  record Granted(int status, long handle) {
    /** Whether nothing came of it; a page that is away is asked for. */
    private boolean isRefused() {
      return status != 0 && status != EAGAIN;
    }
  }

  /** The guest grants a page and the other domain maps it. */
  Granted mapGrant(Grant grant, Slot slot) {
    long entry =
        1 | (grant.readonly ? 4 : 0) | slot.mapper().value() << GRANTEE_SHIFT | grant.gfn << 32;
    hypervisor
        .guestMemory()
        .write(
            hypervisor.domains().byId(grant.granter),
            (StateHost.GRANTS << 12) + grant.ref * Long.BYTES,
            StateHost.bytes(entry));
    var args =
        new MapGrantRef(
            new Word(slot.gfn() << 12), grant.readonly ? 6 : 2, grant.ref, grant.granter);
    return calls.watch(
        () ->
            hypervisor.grantCalls().mapGrantRef(slot.mapper(), args)
                    instanceof Outcome.Success(long _, MapGrantRef.Mapped mapped)
                ? new Granted(mapped.status(), mapped.handle().orElse(-1L))
                : new Granted(1, -1),
        Granted::isRefused);
  }

  int unmapGrant(Slot slot, long handle) {
    Outcome outcome =
        hypervisor
            .grantCalls()
            .unmapGrantRef(
                slot.mapper(), new UnmapGrantRef(new Word(slot.gfn() << 12), new Word(0), handle));
    return outcome instanceof Outcome.Success(long _, GrantResult(int status)) ? status : 1;
  }

  /** Makes a domain the device model of another, which may then map its pages. */
  void serve(DomainId mapper, DomainId owner) {
    hypervisor.domainCalls().setTarget(DOM0, new SetTarget(mapper, owner));
  }
}
