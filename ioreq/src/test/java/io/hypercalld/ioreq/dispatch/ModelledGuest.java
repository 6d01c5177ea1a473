package io.hypercalld.ioreq.dispatch;

import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.guest.GuestRequest.Operation;
import io.hypercalld.core.hypercall.MaxMem;
import io.hypercalld.core.hypercall.MaxVcpus;
import io.hypercalld.core.ranges.NumberRange;
import io.hypercalld.ioreq.DeviceModels;
import io.hypercalld.ioreq.server.BufferedMode;
import io.hypercalld.ioreq.server.IoServer;
import io.hypercalld.ioreq.server.IoServers;
import io.hypercalld.ioreq.server.RangeKind;

/**
 * A guest of two vCPUs and 2 MiB on a machine of its own, and the words that tests of its device
 * models need. Confined to the test's thread.
 */
public final class ModelledGuest implements AutoCloseable {
  /** Where nothing of the guest's is. */
  public static final long MMIO = 0xf000_0000L;

  private final SimulatedHost host = new SimulatedHost();
  private final DeviceModels models = new DeviceModels(host.hypervisor());
  private final Domain domain;

  public ModelledGuest() {
    host.hypervisor().bootDom0();
    DomainId id = host.create(SimulatedHost.HVM_HAP);
    host.hypervisor().domainCalls().maxVcpus(DomainId.DOM0, new MaxVcpus(id, 2));
    host.hypervisor().domainCalls().maxMem(DomainId.DOM0, new MaxMem(id, new Word(4096)));
    host.populate(id, 9, 0);
    domain = host.domain(id);
  }

  public Domain domain() {
    return domain;
  }

  public SimulatedHost host() {
    return host;
  }

  public GuestCpus cpus() {
    return models.cpus();
  }

  public DomainIo io() {
    return domain.facet(DomainIo.class);
  }

  public IoServers servers() {
    return domain.facet(IoServers.class);
  }

  /** An enabled server of dom0's with its pages, which answers for a range. */
  public IoServer server(BufferedMode mode, RangeKind kind, long first, long last) {
    IoServer server = servers().create(DomainId.DOM0, new IoServer.Traits(mode, false));
    for (long page = mode == BufferedMode.OFF ? 1 : 0; page < server.pages().count(); page++) {
      servers().makePage(server, page);
    }
    server.ranges().map(kind, new NumberRange(first, last));
    servers().setEnabled(server, true);
    return server;
  }

  public AccessOutcome read(int vcpu, long gpa, int size) {
    return access(vcpu, gpa, size, Operation.READ, 0);
  }

  public AccessOutcome write(int vcpu, long gpa, int size, long data) {
    return access(vcpu, gpa, size, Operation.WRITE, data);
  }

  public AccessOutcome access(int vcpu, long gpa, int size, Operation op, long data) {
    return cpus().access(domain, new GuestRequest(vcpu, new Word(gpa), size, op, new Word(data)));
  }

  @Override
  public void close() {
    host.close();
  }
}
