/** The shop in English: the shape that every other language has. */
import type { Department } from '../departments.ts';

const departments: Readonly<Record<Department, string>> = {
  christmas: 'Christmas', kitchen: 'Kitchen and table', light: 'Candles and light', bags: 'Bags', jewellery: 'Jewellery', paper: 'Paper and cards', children: 'Children', garden: 'Garden', home: 'Home', more: 'More',
};

export const en = {
  skip: 'Skip to content',
  shopName: 'Cesta gifts and home',
  demo: 'A demonstration: nothing is sold here.',
  credit: 'Names and prices of products: Online Retail, D. Chen (2015), UCI Machine Learning Repository, CC BY 4.0.',
  menu: { label: 'Shop', home: 'Home', list: 'All products', basket: 'Basket', privacy: 'Privacy', language: 'Language', search: 'Search products', find: 'Search' },
  home: { title: 'Gifts and things for the home', lead: 'Look around: the first shelf follows what you look at, and it is worked out on this device.' },
  shelves: { trending: 'Popular now', recent: 'You looked at', similar: 'Similar products', together: 'Often bought together' },
  product: { price: 'Price', department: 'Department', number: 'Product number', add: 'Add to basket', added: (title: string) => `${title} is in your basket.`, unknown: 'There is no such product.' },
  list: { title: 'All products', results: (count: number) => `${count} products`, more: 'Show more', none: 'Nothing found. Try fewer or other words.', department: 'Departments', all: 'All', query: (text: string) => `Search: ${text}` },
  basket: {
    title: 'Your basket', empty: 'Your basket is empty.', look: 'See all products', total: 'Total', quantity: (title: string) => `Quantity of ${title}`, remove: (title: string) => `Remove ${title}`, removeShort: 'Remove',
    checkout: 'Pretend to buy', note: 'This is a demonstration. Nothing is sold, nothing is paid, and no order leaves this page.', done: 'Thank you for pretending: nothing was sold. At degree 1 and above, your shelves now know these products as bought.',
  },
  waiting: 'The shops of the federation are still training the first model. This page asks again every two seconds.',
  drawer: {
    title: 'What left this page', open: 'What left this page', close: 'Hide what left this page',
    none: 'About what you did: 0 events, 0 bytes.',
    some: (reports: number, bytes: string) => `About what you did: ${reports === 1 ? '1 message' : `${reports} messages`}, ${bytes} bytes: clipped, and under noise.`,
    explain: ['Nothing of what you look at is kept or sent.', 'What you look at is in the memory of this page, and gone with it.', 'What you look at is kept on this device, and is not sent.', 'What you look at is kept on this device. In each training round one message of fixed size leaves it: made from what you did, clipped, and with noise.'] as readonly string[],
    settings: 'Degree of personalisation',
    reports: 'Messages of training rounds',
    report: (round: string, bytes: string) => `Round ${round}: ${bytes} bytes`,
    picture: (numbers: string) => `The first ${numbers} numbers of the message as it was sent, one square each: to a reader, noise.`,
    noReports: 'None yet: there is one in each round.',
    epsilon: (spent: string, bound: string) => `Spent on this device: epsilon ${spent} of at most ${bound}.`,
    participation: { off: 'Takes part in no rounds', connecting: 'Connecting', waiting: 'Waiting for the next round', training: 'Training on this device', reported: 'Its message is with the coordinator', ended: 'There are no more rounds', failed: 'Cannot take part' },
    frames: (count: number, bytes: string) => `${count} small messages, ${bytes} bytes: that this device takes part, and under which key; nothing of what you did.`,
    requests: (count: number, bytes: string) => `${count} sent choices, ${bytes} bytes: a random number by which the shop knows your choices, your degree, the version of the notice and whether Global Privacy Control is on, for a signed receipt, or that one is taken back; nothing of what you did.`,
    fetched: 'Fetched',
    downloads: (count: number, bytes: string) => `${count} public documents, ${bytes} bytes. Everybody gets the same.`,
    list: 'Every request', reload: 'A product page that is opened by its address or loaded again asks this shop for that address, as on any website.',
    columns: { what: 'What', bytes: 'Bytes' },
  },
  privacy: {
    title: 'Privacy in this shop', version: (version: string) => `Notice ${version}`, versions: 'Versions of this notice',
    changes: [['demo-2', 'Says that degree 3 also trains.'], ['demo-1', 'The first version.']] as readonly (readonly [string, string])[],
    sections: [
      ['Who is responsible', ['This page is a demonstration that runs on the machine you started it on. A real shop gives its name, its address and the contact of its data protection officer here.']],
      ['What is noted, and why', ['If you allow it: which products you look at, put into the basket, or buy, how many, and the hour. It serves to put products on the shelves that suit you, at degree 3 to train the model of the federation, too, and for nothing else. No name, mail, place, address or price paid is noted.']],
      ['Four degrees, and you choose', ['0, off: nothing is kept; shelves show what is popular.', '1, this visit: in the memory of this page, gone when you close it. This shop begins here.', '2, this device: kept in this browser until you erase it. It is not sent.', '3, help to improve: as 2, and your browser joins training rounds. In each round one message of fixed size is sent to the coordinator of the federation. It is made from what you did, clipped so that no single person counts for much, and covered with random noise.']],
      ['What degree 3 reveals', ['The coordinator learns that a device takes part, when, and under which key. How much a message can reveal of what you did is bounded by a number called epsilon; what your device has spent of it is shown in the drawer, and your device declines rounds beyond your bound.']],
      ['Your rights', ['Change the degree at any time, in one step. See, correct, take along or erase what is kept with the control beside the shelves. No price and no offer depends on it.', 'What withdrawal cannot do: a message that is already part of a sum cannot be picked out of it again. Epsilon bounds what it revealed.']],
      ['Who else', ['Nobody. This page loads nothing from third parties, and sends nothing to them.']],
    ] as readonly (readonly [string, readonly string[]])[],
  },
  departments,
};

export type Words = typeof en;
