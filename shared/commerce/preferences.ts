/** What a shopper can set: where shelves are personal and how varied, how the shop may write, and what the device spends at most. */

/** home: for this shopper · product: what goes with one item first · cart: what goes with the items given first · email: what a shop writes. */
export const surfaces = ['home', 'product', 'cart', 'email'] as const;
export type Surface = (typeof surfaces)[number];
export type SurfaceSwitches = Readonly<Record<Surface, boolean>>;

export const channels = ['site', 'email', 'push', 'sms'] as const;
export type Channel = (typeof channels)[number];

/** All channels are off but the site itself: a message that follows people is asked for, never assumed. */
export const defaultChannels: Readonly<Record<Channel, boolean>> = { site: true, email: false, push: false, sms: false };
export const defaultSurfaces: SurfaceSwitches = { home: true, product: true, cart: true, email: true };

export interface ShopperSettings {
  /** 0..1, of every shelf that does not ask for another. */
  readonly diversity: number;
  /** Surfaces that are personal; one that is off has the shelf of degree 0. */
  readonly surfaces: SurfaceSwitches;
  /** How the shop may write to this shopper. */
  readonly channels: Readonly<Record<Channel, boolean>>;
  /** This device declines rounds that would take it beyond. */
  readonly maxEpsilon: number;
}

export const defaultSettings: ShopperSettings = {
  diversity: 0,
  surfaces: defaultSurfaces,
  channels: defaultChannels,
  /** Nobody who sees all that left the device can tell it from one with another history with odds above e² to 1, over its whole life. */
  maxEpsilon: 2,
};
