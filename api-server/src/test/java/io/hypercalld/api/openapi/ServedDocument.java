package io.hypercalld.api.openapi;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.hypercalld.api.machine.ChoosePolicies;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MachineThread;
import io.hypercalld.api.machine.Snapshots;
import io.hypercalld.api.metrics.Metrics;
import io.hypercalld.api.metrics.MetricsSnapshot;
import io.hypercalld.api.metrics.SnapshotTaker;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.resource.MachinesRoutes;
import io.hypercalld.api.resource.Resources;
import io.hypercalld.api.resource.Trials;
import io.hypercalld.api.rest.Access;
import io.hypercalld.api.rest.Dispatcher;
import io.hypercalld.api.rest.Encoded;
import io.hypercalld.api.rest.HostedMachine;
import io.hypercalld.api.rest.Machines;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.api.rest.Router;
import io.hypercalld.api.rest.Turn;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/** All routes of the default machine, and what they answer, without a server in between. */
final class ServedDocument implements AutoCloseable {
  private final Machine machine = new Machine(PlatformSource.named("two-socket").load().platform());
  private final MachineThread<Machine, MetricsSnapshot> thread;
  private final List<Route> routes;
  private final Dispatcher dispatcher;

  ServedDocument() {
    SnapshotTaker snapshots = new SnapshotTaker(machine);
    this.thread =
        new MachineThread<>(machine, _ -> snapshots.take(), MachineThread.DEFAULT_CAPACITY);
    Metrics metrics = new Metrics("1.2.3");
    HostedMachine hosted =
        new HostedMachine(Machines.DEFAULT, thread, new Snapshots(() -> machine));
    Machines machines = new Machines(hosted);
    MachinesRoutes others =
        new MachinesRoutes(
            machines,
            PlatformSource.named("two-socket").load(),
            ChoosePolicies.NONE,
            (_, _) -> hosted);
    this.routes =
        Resources.routes(
            new Resources.About("1.2.3", swaggerUi(), true), machine.catalogue(), others, metrics);
    this.dispatcher =
        new Dispatcher(new Router(routes), machines, new Trials(), new Access(List.of()), metrics);
  }

  /** As the build wrote it into the archive. */
  private static String swaggerUi() {
    Properties properties = new Properties();
    try (InputStream file =
        ServedDocument.class.getResourceAsStream(
            "/META-INF/maven/org.webjars/swagger-ui/pom.properties")) {
      properties.load(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return properties.getProperty("version", "");
  }

  List<Route> routes() {
    return routes;
  }

  Machine machine() {
    return machine;
  }

  Encoded get(String path) {
    Request request =
        Request.of(
            "GET", path, Map.of(), header -> Optional.empty(), new Request.Body(new byte[0]));
    return dispatcher.dispatch(request, new Turn(Runnable::run)).join();
  }

  String text(String path) {
    return new String(get(path).body(), UTF_8);
  }

  @Override
  public void close() {
    thread.close();
    machine.close();
  }
}
