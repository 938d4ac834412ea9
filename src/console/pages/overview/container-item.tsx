import { Component, createRef } from "preact";
import type { ContainerInfo } from "../../../contract/tremplin/v1/host_pb.js";
import { watchNear } from "../../parts/near.ts";
import { ContainerCard } from "./container-card.tsx";

interface ItemProps {
  readonly guest: string;
  readonly info: ContainerInfo;
  /** Why nobody knows how the container is now; empty: it is as shown. */
  readonly failureReason: string;
}

interface ItemState {
  readonly isNear: boolean;
}

/**
 * A container in the list. Far from the visible part it has only what a search in the page or a screen reader needs, and
 * changes only with that: so many hundred containers cost as little as those that are seen.
 */
export class ContainerItem extends Component<ItemProps, ItemState> {
  override state: ItemState = { isNear: false };
  readonly #element = createRef<HTMLLIElement>();
  #stopWatching = (): void => undefined;

  override componentDidMount(): void {
    const { current } = this.#element;
    if (!current) return;
    this.#stopWatching = watchNear(current, (isNear) => {
      // The keyboard keeps its place.
      if (isNear || !current.contains(document.activeElement)) this.setState({ isNear });
    });
  }

  override componentWillUnmount(): void {
    this.#stopWatching();
  }

  override shouldComponentUpdate(next: ItemProps, { isNear }: ItemState): boolean {
    return isNear || this.state.isNear || shortly(next) !== shortly(this.props);
  }

  render() {
    const { isNear } = this.state;
    const { stale } = this.props.info;
    return (
      <li ref={this.#element} class={`card container ${isNear ? "" : "far"} ${stale ? "stale" : ""}`}>
        <ContainerCard {...this.props} isNear={isNear} />
      </li>
    );
  }
}

/** All that is shown of a container that is far. */
function shortly({ info: { container, stale } }: ItemProps): string {
  return `${container?.name} ${container?.state} ${stale}`;
}
