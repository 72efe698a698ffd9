/** What a shopper can switch: where shelves are personal, and how the shop may write. */

/** home: for this shopper · product: what goes with one item first · cart: what goes with the items given first · email: what a shop writes. */
export const surfaces = ['home', 'product', 'cart', 'email'] as const;
export type Surface = (typeof surfaces)[number];
export type SurfaceSwitches = Readonly<Record<Surface, boolean>>;

export const channels = ['site', 'email', 'push', 'sms'] as const;
export type Channel = (typeof channels)[number];

/** All channels are off but the site itself: a message that follows people is asked for, never assumed. */
export const defaultChannels: Readonly<Record<Channel, boolean>> = { site: true, email: false, push: false, sms: false };
export const defaultSurfaces: SurfaceSwitches = { home: true, product: true, cart: true, email: true };
