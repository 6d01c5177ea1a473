package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.hypercall.IoreqResource;
import io.hypercalld.core.hypercall.ResourceProvider;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.ioreq.server.IoServer;
import io.hypercalld.ioreq.server.IoServers;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The pages of ioreq servers as a resource: frame 0 the ring, from 1 on the vCPUs' slots. Confined
 * to the machine thread.
 *
 * @see "xen/common/ioreq.c, ioreq_server_get_frame"
 */
public final class ServerResource implements ResourceProvider {
  @Override
  public long size(Domain domain, long id) {
    return IoreqResource.frames(domain);
  }

  @Override
  public List<Mfn> acquire(Domain caller, Domain domain, Frames frames) {
    IoreqResource.requireId(frames);
    IoServers servers = domain.facet(IoServers.class);
    IoServer server = servers.asEmulator(caller.id(), frames.id());
    // All of them are there to be made before the first is.
    numbers(frames).forEach(number -> servers.requirePage(server, number));
    return numbers(frames).mapToObj(number -> servers.makePage(server, number)).toList();
  }

  private static LongStream numbers(Frames frames) {
    return LongStream.range(frames.first(), frames.first() + frames.count());
  }
}
