package io.hypercalld.api.resource;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MachineThread.Exchange;
import io.hypercalld.api.machine.SimNotice;
import io.hypercalld.api.machine.Snapshots;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;

/** {@code /_sim/reset}, {@code /_sim/snapshots}, {@code /_sim/diff}: going back. Immutable. */
final class SnapshotRoutes {
  private static final String ALL = "/_sim/snapshots";
  private static final String ONE = ALL + "/{name}";

  /** What stands at its place of a path. */
  private static final Pattern NAME = Pattern.compile("[\\w .:-]{1,64}");

  private SnapshotRoutes() {}

  /** A snapshot to be taken. */
  record NewSnapshot(String name) {}

  /**
   * A snapshot.
   *
   * @param nowNanos the machine's time in it
   */
  record SnapshotView(String name, long nowNanos, String digest) {
    static SnapshotView of(Snapshots.Snapshot snapshot) {
      return new SnapshotView(snapshot.name(), snapshot.takenAt(), snapshot.machine().digest());
    }
  }

  /** Differences, in the order of their paths. */
  record DiffView(List<VisibleState.Change> changes) {}

  static List<Route> routes() {
    return List.of(
        Route.of(
                Method.POST,
                "/_sim/reset",
                "Starts the machine anew, with its clock, counters, journals and events; snapshots"
                    + " stay")
            .reading(NoMembers.class)
            .answering(SimRoutes.DigestView.class)
            .exchanging(SnapshotRoutes::reset),
        Route.get(ALL, "Machines as they once were")
            .answering(Page.ofItems(SnapshotView.class))
            .on(request -> machine -> Reply.ok(Page.whole(views(request.hosted().snapshots())))),
        Route.of(Method.POST, ALL, "Keeps the machine as it is now")
            .reading(NewSnapshot.class)
            .answering(201, SnapshotView.class)
            .beside(SnapshotRoutes::take, SnapshotRoutes::wouldTake),
        Route.get(ONE, "A snapshot").answering(SnapshotView.class).on(SnapshotRoutes::show),
        Route.of(Method.DELETE, ONE, "Forgets a snapshot")
            .beside(SnapshotRoutes::remove, SnapshotRoutes::wouldRemove),
        Route.of(Method.POST, ONE + "/restore", "Lets the machine go on from a snapshot")
            .reading(NoMembers.class)
            .answering(SnapshotView.class)
            .exchanging(SnapshotRoutes::restore),
        Route.get("/_sim/diff", "What is different between two states of the machine")
            .taking(
                Parameter.required("from", "a snapshot's name", String.class),
                Parameter.optional("to", "a snapshot's name; left out: now", String.class))
            .answering(DiffView.class)
            .on(SnapshotRoutes::diff));
  }

  private static List<SnapshotView> views(Snapshots snapshots) {
    return snapshots.all().stream().map(SnapshotView::of).toList();
  }

  private static Function<Machine, Exchange<Machine, Reply>> reset(Request request) {
    Snapshots snapshots = request.hosted().snapshots();
    request.read(NoMembers.class);
    return machine -> {
      Machine fresh = snapshots.boot();
      machine.close();
      String digest = fresh.digest();
      fresh.hypervisor().notices().tell(SimNotice.RESET, new SimNotice.Reset(digest));
      return new Exchange<>(
          fresh,
          Reply.ok(new SimRoutes.DigestView(digest)),
          () -> request.hosted().forget(request));
    };
  }

  private static Function<Machine, Reply> take(Request request) {
    Snapshots snapshots = request.hosted().snapshots();
    String name = newName(request);
    return machine ->
        Reply.created(ALL + "/" + name, SnapshotView.of(snapshots.take(name, machine)));
  }

  private static Function<Machine, Reply> wouldTake(Request request) {
    Snapshots snapshots = request.hosted().snapshots();
    String name = newName(request);
    return machine -> {
      snapshots.checkRoomFor(name);
      SnapshotView view = SnapshotView.of(new Snapshots.Snapshot(name, machine));
      return Trials.told(201, Optional.of(view), VisibleState.made(ALL + "/" + name, view));
    };
  }

  private static String newName(Request request) {
    String name = request.read(NewSnapshot.class).name;
    if (!NAME.matcher(name).matches()) {
      throw InvalidBody.at("/name", "1 to 64 letters, digits, spaces and any of _.:- are needed");
    }
    return name;
  }

  private static Function<Machine, Reply> show(Request request) {
    Snapshots snapshots = request.hosted().snapshots();
    String name = request.place("name");
    return machine -> Reply.ok(SnapshotView.of(snapshots.get(name)));
  }

  private static Function<Machine, Reply> remove(Request request) {
    Snapshots snapshots = request.hosted().snapshots();
    String name = request.place("name");
    return machine -> {
      snapshots.remove(name);
      return Reply.done();
    };
  }

  private static Function<Machine, Reply> wouldRemove(Request request) {
    Snapshots snapshots = request.hosted().snapshots();
    String name = request.place("name");
    return machine ->
        Trials.told(
            204,
            Optional.empty(),
            VisibleState.gone(ALL + "/" + name, SnapshotView.of(snapshots.get(name))));
  }

  private static Function<Machine, Exchange<Machine, Reply>> restore(Request request) {
    Snapshots snapshots = request.hosted().snapshots();
    request.read(NoMembers.class);
    String name = request.place("name");
    return machine -> {
      Machine restored = snapshots.restore(name);
      machine.close();
      return new Exchange<>(restored, Reply.ok(SnapshotView.of(snapshots.get(name))));
    };
  }

  private static Function<Machine, Reply> diff(Request request) {
    Snapshots snapshots = request.hosted().snapshots();
    String from = request.parameter("from").orElseThrow();
    Optional<String> to = request.parameter("to");
    return machine -> {
      Machine later = to.map(name -> snapshots.get(name).machine()).orElse(machine);
      VisibleState before = VisibleState.of(snapshots.get(from).machine());
      return Reply.ok(new DiffView(before.changesTo(VisibleState.of(later))));
    };
  }
}
