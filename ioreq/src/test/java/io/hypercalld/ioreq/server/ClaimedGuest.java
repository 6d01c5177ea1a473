package io.hypercalld.ioreq.server;

import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.SetPagingMempoolSize;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.ranges.NumberRange;
import io.hypercalld.ioreq.DeviceModels;
import io.hypercalld.ioreq.server.ClaimPolicies.ClaimAccess;
import io.hypercalld.ioreq.server.ClaimPolicies.ClaimUpdate;
import io.hypercalld.ioreq.server.ClaimPolicies.Destroyed;
import io.hypercalld.ioreq.server.ClaimPolicies.Unclaimed;
import java.util.stream.LongStream;

/** A guest of 4 GiB with a server that claims pages of it. Confined to the benchmark's thread. */
final class ClaimedGuest implements AutoCloseable {
  static final long PAGES = 1 << 20;

  private static final long TABLES = 2200;
  private static final int LEAF_ORDER = 9;

  private final SimulatedHost host = new SimulatedHost();
  private final Domain domain;
  private final IoServer server;
  private final MemoryTypeClaim claim;

  ClaimedGuest(ClaimUpdate update) {
    DeviceModels _ = new DeviceModels(host.hypervisor());
    host.hypervisor().bootDom0();
    DomainId id = host.create(SimulatedHost.HVM_HAP);
    host.limit(id, PAGES);
    host.hypervisor()
        .domainCalls()
        .setPagingMempoolSize(
            DomainId.DOM0, new SetPagingMempoolSize(id, new Word(TABLES * PageSize.BYTES_4K)));
    host.populate(
        id,
        LEAF_ORDER,
        LongStream.range(0, PAGES >> LEAF_ORDER).map(leaf -> leaf << LEAF_ORDER).toArray());
    domain = host.domain(id);
    IoServers servers = domain.facet(IoServers.class);
    servers
        .claims()
        .choose(new ClaimPolicies(Unclaimed.REFUSE, ClaimAccess.WRITE, update, Destroyed.LEAVE, 1));
    server = servers.create(DomainId.DOM0, new IoServer.Traits(BufferedMode.OFF, false));
    claim = servers.claims().of(P2mType.IOREQ_SERVER);
  }

  MachineMemory memory() {
    return host.hypervisor().memory();
  }

  /** Claims and tags pages. */
  void claim(NumberRange pages) {
    claim.claim(server);
    for (long gfn = pages.first(); gfn <= pages.last(); gfn++) {
      domain.p2m().changeType(new Gfn(gfn), P2mType.RAM_RW, P2mType.IOREQ_SERVER);
      domain.facets().retyped(new Gfn(gfn), P2mType.IOREQ_SERVER);
    }
  }

  /** What is tagged stays so. */
  void release() {
    claim.release(server);
  }

  /** Goes on until nothing is tagged, and says how many pages were. */
  long sweep() {
    long pages = claim.pages();
    for (long next = 0; next >= 0; ) {
      next = claim.sweep(next);
    }
    return pages - claim.pages();
  }

  @Override
  public void close() {
    host.close();
  }
}
