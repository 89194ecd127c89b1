"""English words of the sample logs. Every brand is invented."""

from __future__ import annotations

from trainer.sample.text import Language, Topic, words

_TOPICS = (
    Topic(
        "camping", "Outdoors > Camping",
        words("tent, sleeping bag, camp stove, hammock, tarp, camping lantern,"
              "sleeping mat, mess kit, bivouac shelter, camp chair"),
        words("ripstop fabric, folding poles, a down filling, sealed seams"),
        words("nights under the stars, a weekend in the woods, base camp,"
              "cooking by the campfire"),
        words("Northpine, Fernhollow, Emberfield, Stagway"),
    ),
    Topic(
        "coffee", "Kitchen > Coffee",
        words("espresso machine, coffee grinder, moka pot, milk frother,"
              "pour over dripper, coffee beans, french press, coffee scale,"
              "gooseneck kettle, espresso tamper"),
        words("conical burrs, a pressure gauge, a dark roast, crema"),
        words("the first cup of the morning, latte art, a smooth cappuccino,"
              "brewing at home"),
        words("Roastwell, Cremalto, Beanharbor, Mokarista"),
    ),
    Topic(
        "running", "Sports > Running",
        words("running shoes, running shorts, hydration vest, stride counter,"
              "race belt, compression socks, trail shoes, running jacket,"
              "marathon singlet, running cap"),
        words("a springy midsole, breathable mesh, reflective stripes,"
              "a carbon plate"),
        words("interval training, your first marathon, jogging at dawn,"
              "a new personal best"),
        words("Stridewell, Pacemark, Tempora, Fleetroad"),
    ),
    Topic(
        "gardening", "Home > Garden",
        words("pruning shears, watering can, flower seeds, garden trowel,"
              "raised bed, compost bin, tomato seedlings, garden hose,"
              "potting soil, plant pot"),
        words("slow fertilizer, organic peat, a brass nozzle, forged tines"),
        words("growing vegetables, roses in bloom, weeding the border,"
              "a green balcony"),
        words("Greenacre, Rosewick, Loamly, Sproutside"),
    ),
    Topic(
        "photography", "Electronics > Cameras",
        words("mirrorless camera, zoom lens, tripod, camera bag, flash unit,"
              "lens filter, macro lens, instant camera, memory card,"
              "shutter remote"),
        words("a wide aperture, image stabilisation, autofocus, a full frame"
              " sensor"),
        words("portraits, landscape shots, long exposures, wedding pictures"),
        words("Lumora, Obscura Nine, Focalia, Shutterby"),
    ),
    Topic(
        "baking", "Kitchen > Baking",
        words("stand mixer, cake tin, rolling pin, sourdough starter,"
              "piping bag, bread flour, muffin tray, dough scraper,"
              "cookie cutter, proofing basket"),
        words("a non-stick coating, vanilla sugar, dry yeast, silicone edges"),
        words("birthday cakes, crusty loaves, sunday pastries,"
              "decorating cupcakes"),
        words("Floury Lane, Whiskwood, Crumbleton, Sugarmill"),
    ),
    Topic(
        "cycling", "Sports > Cycling",
        words("road bike, bike helmet, cycling gloves, bicycle pump, chain"
              " lube, bike light, pannier bag, saddle, handlebar tape,"
              "inner tube"),
        words("disc brakes, a carbon fork, tubeless tyres, eleven gears"),
        words("the daily commute by bike, gravel tours, climbing passes,"
              "a ride along the river"),
        words("Velorade, Spokehart, Cranksley, Pedalino"),
    ),
    Topic(
        "skin care", "Beauty > Skin Care",
        words("face cream, cleansing foam, sheet mask, eye serum, sunscreen,"
              "body lotion, toner, lip balm, night cream, facial oil"),
        words("hyaluronic acid, aloe extract, vitamin c, shea butter"),
        words("dry skin, a fresh complexion, sensitive cheeks,"
              "smoothing fine wrinkles"),
        words("Dermelle, Aloria, Petalskin, Soft Hour"),
    ),
    Topic(
        "board games", "Toys > Board Games",
        words("strategy board game, dice set, card game, chess board,"
              "domino box, jigsaw puzzle, party game, miniature figures,"
              "role playing book, backgammon case"),
        words("wooden tokens, illustrated cards, a modular map,"
              "twenty scenarios"),
        words("game night with friends, two to four players,"
              "rainy family afternoons, clever opponents"),
        words("Meeplehaus, Dicewright, Gambitry, Tablequest"),
    ),
    Topic(
        "guitar", "Music > Guitar",
        words("acoustic guitar, guitar strings, guitar amplifier, capo,"
              "effects pedal, guitar strap, plectrum set, electric guitar,"
              "chord songbook, ukulele"),
        words("a spruce top, a mahogany neck, single coil pickups,"
              "phosphor bronze"),
        words("strumming chords, blues solos, playing on stage,"
              "practising riffs"),
        words("Fretmoor, Sonquill, Twangford, Mahogany Row"),
    ),
    Topic(
        "painting", "Crafts > Painting",
        words("watercolour set, oil paints, stretched canvas, easel,"
              "paint brushes, sketchbook, acrylic tubes, palette knife,"
              "gouache box, drawing charcoal"),
        words("rich pigments, sable hair, cold pressed paper, linseed binder"),
        words("still lifes, sketching outdoors, glazing in layers,"
              "abstract art"),
        words("Cobaltine, Umberly, Atelier Finch, Brushwater"),
    ),
    Topic(
        "cats", "Pets > Cats",
        words("cat litter, scratching post, cat food, feather wand, cat tree,"
              "cat carrier, catnip mouse, litter box, pet fountain,"
              "kitten collar"),
        words("sisal rope, salmon chunks, clumping grains, a plush cushion"),
        words("playful kittens, indoor felines, a purring companion,"
              "sharp claws"),
        words("Whiskerly, Purrgood, Tabbington, Mewsome"),
    ),
    Topic(
        "fishing", "Outdoors > Fishing",
        words("fishing rod, spinning reel, tackle box, fishing line, lure set,"
              "landing net, fishing waders, bait bucket, fish hooks, float"),
        words("braided nylon, ball bearings, a cork grip, wobbling minnows"),
        words("trout streams, carp ponds, casting from the shore,"
              "a catch at sea"),
        words("Reelstone, Anglermere, Troutwick, Castaway Bay"),
    ),
    Topic(
        "astronomy", "Science > Astronomy",
        words("telescope, star chart, eyepiece, planetarium projector,"
              "astronomy binoculars, equatorial mount, moon globe,"
              "solar filter, meteorite slice, constellation atlas"),
        words("a parabolic mirror, star tracking, a finder scope,"
              "multi-coated optics"),
        words("saturn's rings, deep sky nebulae, lunar craters,"
              "watching eclipses"),
        words("Orionis, Nebulight, Zenithal, Perihel"),
    ),
    Topic(
        "sewing", "Crafts > Sewing",
        words("sewing machine, fabric shears, thread spools, pin cushion,"
              "dress pattern, overlocker, cotton fabric, thimble,"
              "embroidery hoop, zipper set"),
        words("a bobbin winder, buttonhole stitches, woven linen,"
              "stainless needles"),
        words("hemming trousers, quilting, mending seams, sewing your own"
              " clothes"),
        words("Bobbinette, Threadwell, Hemstead, Selvedge Co"),
    ),
    Topic(
        "aquariums", "Pets > Aquariums",
        words("fish tank, aquarium filter, aquarium heater, water test kit,"
              "live aquatic plants, gravel siphon, fish flakes, air pump,"
              "driftwood root, coral salt"),
        words("active carbon, a glass basin, bio sponges, led moonlight"),
        words("guppies and tetras, clear water, a planted reef,"
              "shrimp breeding"),
        words("Aquaria Blue, Finlet, Tidebowl, Reefery"),
    ),
)

ENGLISH = Language(
    topics=_TOPICS,
    adjectives=words(
        "compact, premium, classic, lightweight, sturdy, everyday, modern,"
        "handy, elegant, reliable, affordable, deluxe, simple, original,"
        "practical, fine, popular, quality, versatile, smart"
    ),
    title="{brand} {adjective} {noun}",
    series="{title} No. {number}",
    editions=(
        "{title}, new edition", "{title} (2 pack)", "{title}, gift box",
        "{title} in blue",
    ),
    descriptions=(
        "A {adjective} {noun} with {feature}, made for {use}.",
        "This {noun} by {brand} has {feature}. Great for {use}.",
        "If you love {name}: a {adjective} {noun} for {use}, with {feature}.",
    ),
    profiles=(
        "Interested in {name_1} and {name_2}.",
        "Loves {name_1}; never without a {noun_1}. Also into {name_2}.",
        "My hobbies are {name_1} and {name_2}, from {noun_1} to {noun_2}.",
    ),
    scenarios={
        "home": "recommendations on the start page",
        "search": "results for a query the user has typed",
        "deals": "reduced offers of the week",
        "feed": "an endless feed to look around in",
        "email": "the weekly letter to subscribers",
        "cart_page": "suggestions beside the shopping cart",
    },
)
