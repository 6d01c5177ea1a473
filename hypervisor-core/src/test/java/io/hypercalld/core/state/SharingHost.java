package io.hypercalld.core.state;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.SharingHandle;
import io.hypercalld.core.hypercall.SharingOp;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;

/** Dom0's {@code sharing_op}s in words of their own. */
final class SharingHost {
  private static final DomainId DOM0 = DomainId.DOM0;

  private final Hypervisor hypervisor;
  private final RefusedCalls calls;

  SharingHost(Hypervisor hypervisor, RefusedCalls calls) {
    this.hypervisor = hypervisor;
    this.calls = calls;
  }

  /** The handle of a page made one to share, or the negative errno. */
  long nominate(DomainId id, long gfn) {
    try {
      return sharing(request(id, 0, gfn, 0, id, 0, 0))
              instanceof Outcome.Success(long _, SharingHandle(long handle))
          ? handle
          : 0;
    } catch (Refusal refusal) {
      return -refusal.errno().number();
    }
  }

  /** A page that others may share, and what it is called. */
  record Shared(DomainId id, long gfn, long handle) {}

  long share(Shared source, Shared client) {
    return calls.ret(
        () ->
            sharing(
                request(
                    source.id,
                    2,
                    source.gfn,
                    source.handle,
                    client.id,
                    client.gfn,
                    client.handle)));
  }

  /** Maps a shared page where another guest maps nothing. */
  long lend(Shared source, DomainId client, long at) {
    return calls.ret(
        () -> sharing(request(source.id, 6, source.gfn, source.handle, client, at, 0)));
  }

  /** Has two guests share what they can of a range of guest frames, the last one included. */
  long shareRange(DomainId source, DomainId client, long first, long last) {
    Gfn none = new Gfn(0);
    return calls.ret(
        () ->
            sharing(
                new SharingOp(
                    8,
                    source,
                    none,
                    none,
                    0,
                    none,
                    0,
                    client,
                    new Gfn(first),
                    new Gfn(last),
                    none,
                    List.of(),
                    0,
                    0,
                    new Mfn(0),
                    0)));
  }

  private Outcome sharing(SharingOp op) {
    return hypervisor.featureCalls().sharing().sharing(DOM0, op);
  }

  private static SharingOp request(
      DomainId id, long op, long gfn, long handle, DomainId client, long at, long clientHandle) {
    Gfn none = new Gfn(0);
    return new SharingOp(
        op,
        id,
        new Gfn(gfn),
        new Gfn(gfn),
        handle,
        new Gfn(at),
        clientHandle,
        client,
        none,
        none,
        none,
        List.of(),
        0,
        0,
        new Mfn(0),
        0);
  }
}
